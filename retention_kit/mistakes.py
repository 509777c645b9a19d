"""Mistakes in a client file, each as one line: the file, the line, what is wrong, what to write."""

from collections.abc import Callable

from pydantic import ValidationError

from retention_kit.exceptions import did_you_mean
from retention_kit.yamls import Document

_MUST_BE = {
    "string_type": "text; put it in quotes",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "tuple_type": "a list, such as [retention, clv]",
}


def complaint(
    documents: list[Document], error: ValidationError, keys_at: Callable[[tuple], list[str]]
) -> str:
    """One line for the first mistake: file, line, what is wrong, what to write."""
    unknown_keys_first = sorted(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    first = unknown_keys_first[0]
    place = tuple(first["loc"])
    if place[:2] == ("explain", 0) and not any(place[:2] in each.lines for each in documents):
        place = (place[0], *place[2:])  # one figure alone stands under explain without a list
    # The client file's own line where it has one, else that of the defaults.
    document = max(documents, key=lambda each: each.depth(place))
    if first["type"] == "extra_forbidden":
        return unknown_key(document, place, keys_at(place))
    name = ".".join(str(part) for part in place)
    message = first["msg"].removeprefix("Value error, ")
    start = f"{document.where(place)}: "
    if first["type"] == "missing":
        return f"{start}{name} is missing."
    if first["type"] == "value_error":
        return start + (f"{name}: " if name and name not in message else "") + message + "."
    if first["input"] in (None, ""):
        return f"{start}{name} is empty."
    given = f"it is {first['input']!r}"
    if place[0] == "options" and len(place) > 3:  # one of the types an option may have, each with its error
        return f"{start}{'.'.join(place[:3])}: must be one value: text, a number, true or false; {given}."
    if place[0] == "data" and len(place) == 2 and isinstance(first["input"], str):  # a path and nothing else
        return f"{start}{name}: must be keys and values, such as {{source: {first['input']}}}; {given}."
    if first["type"] in _MUST_BE:
        return f"{start}{name}: must be {_MUST_BE[first['type']]}; {given}."
    return f"{start}{name}: {message.replace('Input should', 'must')}; {given}."


def unknown_key(document: Document, place: tuple, known: list[str]) -> str:
    """One line for a key that a client file cannot have."""
    key = str(place[-1])
    hint = did_you_mean(key, known)
    return f"{document.where(place)}: unknown key {key!r}.{hint} Known keys: {', '.join(known)}."
