"""What a report depends on, as digests: equal ones let it stand, or its page be made without a chapter.

Chapters run again when anything changed that may reach them: the notebooks' code, the client file but
for what only the page shows, the data, the code and words of the package that they use, or the versions
it is installed with. The page is made anew when anything at all changed.

Data count by their content, read to the last byte. A date lies too easily: an export sent again has a
new one and says the same, and one that was copied with its date, or corrected within its second, says
something else. Reading a file once is little beside what the chapters do with it.
"""

import hashlib
import json
import platform
import re
from collections.abc import Iterable, Mapping
from functools import cache, partial
from importlib import resources
from importlib.metadata import requires, version
from itertools import chain
from pathlib import Path
from typing import Any

import nbformat

from retention_kit import places, yamls
from retention_kit.exceptions import DataError
from retention_kit.params import KINDS, Client

#: Keys of a client file that only the page shows. Any other may reach a chapter.
ON_THE_PAGE = frozenset(("title", "prepared_by", "notes", "brand", "playbook"))
#: Sections of a catalogue, and files and folders of the package, that only the page reads.
_WORDS_OF_THE_PAGE = ("page", "playbook", "change", "restated", "index")
_FILES_OF_THE_PAGE = ("templates", "playbook.yaml")
_OTHERWISE_COUNTED = ("notebooks", "catalogue", "__pycache__")

_HASH = partial(hashlib.blake2b, digest_size=16)
_PACKAGE = Path(str(resources.files(__package__)))
_IMPORTS = re.compile(r"from retention_kit import (\([^)]*\)|[^\n]*)|retention_kit\.(\w+)")
_WHOLE = re.compile(r"^\s*import retention_kit\b(?!\.)", re.MULTILINE)


def of(
    client: Client,
    notebooks: Iterable[Path],
    *,
    without: Iterable[str] = (),
    shown: Any = None,
    given: Any = None,
) -> dict[str, str]:
    """The digests of a client's run: `notebooks`, `client`, `data`, `code` for its chapters, and `page`.

    Parameters
    ----------
    client : Client
        The client file, read.
    notebooks : iterable of Path
        The chapters that are to run.
    without : collection of str
        Tags of cells that do not run.
    shown : any
        What else the page shows, such as rules of a consultant's own.
    given : any
        What else the chapters are given, such as what earlier reports foretold.
    """
    paths = list(notebooks)
    chapters = {path.stem: _chapter(path, _state(path), frozenset(without)) for path in paths}
    named = frozenset(chain.from_iterable(imported for _, imported in chapters.values()))
    told = _told(client)
    return {
        "notebooks": _digest({name: cells for name, (cells, _) in chapters.items()}),
        "client": _digest([{key: value for key, value in told.items() if key not in ON_THE_PAGE}, given]),
        "data": data(client),
        "code": _digest([_code(named), _words(client.language, _WORDS_OF_THE_PAGE), _versions()]),
        "page": _digest([told, _package(), _words(client.language), shown]),
    }


def same_chapters(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether what the chapters show cannot have changed between two runs."""
    return all(one.get(key) == other.get(key) for key in ("notebooks", "client", "data", "code"))


def file(path: Path) -> str:
    """The digest of what a file holds."""
    return _content(path, *_state(path))


def data(client: Client) -> str:
    """The digest of what a client's tables are read from, and its codeframe; "" when some is not there."""
    read: dict[str, Any] = {}
    for kind in KINDS:
        if client.has(kind):
            table = client.table(kind)
            source = table.source
            try:
                files = places.files(source)
                files += places.files(table.same_customer) if table.same_customer else []
                read[kind] = [(path.name, file(path)) for path in files] or source
            except (DataError, OSError):
                return ""
    if Path(client.codeframe).is_file():
        read["codeframe"] = file(Path(client.codeframe))
    return _digest(read)


# -- the client file -------------------------------------------------------------


def _told(client: Client) -> dict[str, Any]:
    """All that the client file says, but where its data lie: what they hold counts, and no secret does."""
    tables = {kind: {"source", "origin", "same_customer"} for kind in KINDS if client.has(kind)}
    return client.model_dump(mode="json", exclude={"data": tables})


# -- data ------------------------------------------------------------------------


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


@cache
def _content(path: Path, size: int, moment: int) -> str:
    """The digest of a file, read once a run, also when many clients share it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, _HASH).hexdigest()


# -- code and words --------------------------------------------------------------
# What is read here does not change within a run, and is the same for all its clients.


@cache
def _chapter(path: Path, state: tuple[int, int], without: frozenset[str]) -> tuple[str, frozenset[str]]:
    """A digest of the cells that run, and the modules of the package that they name."""
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if not without & set(cell.metadata.get("tags", []))]
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    told = [[cell.cell_type, cell.source, cell.metadata.get("tags", [])] for cell in cells]
    return _digest(told), frozenset(_imported(code))


@cache
def _code(named: frozenset[str]) -> str:
    """Of the modules named, with all that those import, and of what code reads, such as named policies."""
    return _digest({file: _files()[file] for file in _code_files(named)})


def _code_files(named: Iterable[str]) -> list[str]:
    found, waiting = set(), set(named)
    while waiting:
        found |= waiting
        sources = [_files()[file] for name in waiting for file in _modules()[name]]
        waiting = set(chain.from_iterable(map(_imported, sources))) - found
    code = [file for name in found for file in _modules()[name]]
    tables = [file for file in _files() if not file.endswith(".py")]
    return sorted(code + [file for file in tables if file.split("/")[0] not in _FILES_OF_THE_PAGE])


def _imported(source: str) -> set[str]:
    """The modules of the package that a source names; all of them where it names the package alone."""
    if _WHOLE.search(source):
        return set(_modules())
    found = _IMPORTS.findall(source)
    return {name for some in found for name in re.findall(r"\w+", " ".join(some)) if name in _modules()}


@cache
def _modules() -> dict[str, list[str]]:
    """The source of each module, or of all modules of a package within."""
    found: dict[str, list[str]] = {}
    for file in _files():
        if file.endswith(".py"):
            found.setdefault(file.split("/")[0].removesuffix(".py"), []).append(file)
    return found


@cache
def _versions() -> dict[str, str]:
    """Of Python, the package and all that it needs: a number may depend on any of them."""
    needed = [text for text in requires("retention-kit") or [] if "extra ==" not in text]
    names = ["retention-kit", *(re.split(r"[^\w.-]", text)[0] for text in needed)]
    return {"Python": platform.python_version()} | {name: version(name) for name in names}


@cache
def _package() -> str:
    return _digest(_files())


@cache
def _files() -> dict[str, str]:
    """The files of the package: code as text, all else as digests."""
    inside = {path.relative_to(_PACKAGE).as_posix(): path for path in sorted(_PACKAGE.rglob("*"))}
    return {
        name: path.read_text("utf-8") if name.endswith(".py") else file(path)
        for name, path in inside.items()
        if path.is_file() and not set(Path(name).parts) & set(_OTHERWISE_COUNTED)
    }


@cache
def _words(language: str, without: tuple[str, ...] = ()) -> str:
    """Of the sections of a language's catalogue."""
    sections = _catalogue(re.split("[-_]", language)[0])
    return _digest({section: words for section, words in sections.items() if section not in without})


@cache
def _catalogue(language: str) -> dict[str, Any]:
    return yamls.load(_PACKAGE / "catalogue" / f"{language}.yaml").values


def _digest(content: Any) -> str:
    text = json.dumps(content, ensure_ascii=False, default=str)
    digest = _HASH()
    digest.update(text.encode())
    return digest.hexdigest()
