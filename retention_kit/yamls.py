"""YAML without its surprises: `no` is a word, dates are text, a key stands once, every value has a line."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from retention_kit.exceptions import ParamsError

_LARGEST = 1_000_000  # bytes; a client file is a page


class _Loader(yaml.SafeLoader):
    """Booleans are true and false alone; dates, times and numbers with a leading zero stay text."""


class _Quick(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """The same by the parser in C: twenty times faster, but its messages do not say what was expected."""


_PLAIN = {
    "tag:yaml.org,2002:bool": (r"^(true|false)$", "tf"),
    "tag:yaml.org,2002:null": (r"^(~|null|)$", ["~", "n", ""]),
    "tag:yaml.org,2002:int": (r"^[-+]?(0|[1-9][0-9]*)$", "-+0123456789"),
    "tag:yaml.org,2002:float": (
        r"^[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$",
        "-+.0123456789",
    ),
}
for _each in (_Loader, _Quick):
    _each.yaml_implicit_resolvers = {}
    for _tag, (_pattern, _starts) in _PLAIN.items():
        _each.add_implicit_resolver(_tag, re.compile(_pattern), list(_starts))
    # SafeLoader's own construction of floats refuses 1e3; Python's does not.
    _each.add_constructor(
        "tag:yaml.org,2002:float", lambda loader, node: float(loader.construct_scalar(node))
    )


@dataclass(frozen=True)
class Document:
    """A YAML mapping, and the line each of its values stands on."""

    path: Path
    values: dict[str, Any]
    lines: dict[tuple, int] = field(repr=False)

    def where(self, place: Sequence) -> str:
        """`acme.yaml line 7`, for the nearest value that stands in the file."""
        keys = tuple(place)[: self.depth(place)]
        return f"{self.path.name} line {self.lines[keys]}" if keys else self.path.name

    def depth(self, place: Sequence) -> int:
        """How many keys of a place stand in the file."""
        keys = tuple(place)
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return len(keys)


def load(path: Path) -> Document:
    """Read one YAML file.

    Raises
    ------
    ParamsError
        When it is too large, no mapping, not YAML, or repeats a key or uses an alias or a tag.
    """
    if path.stat().st_size > _LARGEST:
        raise ParamsError(f"{path.name} is larger than a client file can be ({_LARGEST:,} bytes).")
    try:
        text = path.read_text(encoding="utf-8-sig")
        node = _composed(path, text)
    except UnicodeDecodeError:
        raise ParamsError(f"{path.name} is not UTF-8. Save it as UTF-8.") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ParamsError(
            f"{path.name} line {line}: not YAML: {error.problem}. Text with :, # or {{ in it needs quotes."
        ) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ParamsError(f"{path.name} line {line}: a control character. Delete it.") from None
    except RecursionError:
        raise ParamsError(f"{path.name} is nested deeper than a client file can be.") from None
    if not isinstance(node, yaml.MappingNode):
        raise ParamsError(f"{path.name} must hold keys and values, such as client: acme.")
    lines: dict[tuple, int] = {}
    _note_lines(path, node, (), lines)
    return Document(path, _Loader("").construct_document(node), lines)


def _composed(path: Path, text: str) -> yaml.Node | None:
    try:
        return _read(path, text, _Quick)
    except yaml.YAMLError:
        return _read(path, text, _Loader)  # which says better what is wrong


def _read(path: Path, text: str, loader: type[yaml.SafeLoader]) -> yaml.Node | None:
    _refuse_indirection(path, text, loader)
    return yaml.compose(text, Loader=loader)


def _refuse_indirection(path: Path, text: str, loader: type[yaml.SafeLoader]) -> None:
    for token in yaml.scan(text, Loader=loader):
        start = f"{path.name} line {token.start_mark.line + 1}:"
        if isinstance(token, (yaml.AliasToken, yaml.AnchorToken)):
            raise ParamsError(f"{start} anchors and aliases (& and *) are not read. Write it out.")
        if isinstance(token, yaml.TagToken):
            raise ParamsError(f"{start} tags (!) are not read. Put the text in quotes.")


def _note_lines(path: Path, node: yaml.Node, place: tuple, lines: dict[tuple, int]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ParamsError(f"{path.name} line {key.start_mark.line + 1}: a key must be one word.")
            key.tag = "tag:yaml.org,2002:str"  # a column may be called 2024, or true
            inner = (*place, key.value)
            if inner in lines:
                raise ParamsError(
                    f"{path.name} line {key.start_mark.line + 1}: {key.value!r} stands twice, "
                    f"first on line {lines[inner]}. Keep one."
                )
            lines[inner] = key.start_mark.line + 1
            _note_lines(path, value, inner, lines)
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            lines[(*place, i)] = value.start_mark.line + 1
            _note_lines(path, value, (*place, i), lines)


def dump(values: Mapping[str, Any]) -> str:
    """A client file's text, in the order given.

    >>> print(dump({"client": "acme", "as_of": "2024-07-01"}), end="")
    client: acme
    as_of: '2024-07-01'
    """
    return yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=100)
