"""The environment: what `${NAME}` in a client file is, masked in all that is written; what is passed on."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import unquote

from retention_kit.exceptions import ParamsError

_NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SHORTEST = 4  # of fewer letters a value would be found in the middle of words


def values(text: str, *, place: str, hint: str = "") -> dict[str, str]:
    """The variables that a text names, and their values.

    Raises
    ------
    ParamsError
        When one is not set: the place in the client file, what to type, and a hint.
    """
    names = _NAME.findall(text)
    for name in names:
        if not os.environ.get(name):
            raise ParamsError(
                f"{place}: the environment variable {name} is not set. Type: export {name}=...{hint}"
            )
    return {name: os.environ[name] for name in names}


def filled(text: str, known: Mapping[str, str]) -> str:
    """The text with the values of its variables.

    >>> filled("${SURVEYS}/acme.csv", {"SURVEYS": "/data"})
    '/data/acme.csv'
    """
    return _NAME.sub(lambda found: known[found[1]], text)


def masked(text: str, known: Mapping[str, str]) -> str:
    """The text with each value, as it is or as an address writes it, by its variable's name again.

    >>> masked("There is no file /data/s3cret/acme.csv.", {"SURVEYS": "/data/s3cret"})
    'There is no file ${SURVEYS}/acme.csv.'
    """
    for name, value in sorted(known.items(), key=lambda pair: -len(pair[1])):
        for written in sorted({value, unquote(value), repr(value)[1:-1], value.rstrip("/")}, key=len)[::-1]:
            if len(written) >= _SHORTEST:
                text = text.replace(written, f"${{{name}}}")
    return text


@contextmanager
def telling(name: str, value: str) -> Iterator[None]:
    """Within it, the processes that are started find the variable so; then it is as it was."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
