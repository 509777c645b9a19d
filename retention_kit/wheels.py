"""The package itself: the files that travel with it, and all of it as one wheel that pip installs."""

import base64
import hashlib
import importlib.metadata
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from retention_kit.exceptions import ReportError

_PACKAGE = Path(__file__).parent
_NAME = "retention-kit"

#: What stands beside the package in a clone, and where in the package a wheel has it.
TRAVELS = {
    "notebooks": "notebooks",
    "params/_defaults.yaml": "templates/project/params/_defaults.yaml",
    "params/demo.yaml": "templates/project/params/demo.yaml",
}

_WHEEL = "Wheel-Version: 1.0\nGenerator: retention_kit {version}\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_MOMENT = (1980, 1, 1, 0, 0, 0)  # the first that a zip can tell; the same files make the same bytes


def shipped(name: str) -> Path:
    """Where a file or folder of `TRAVELS` is: in the package when it was installed, beside it in a clone."""
    inside = _PACKAGE / TRAVELS[name]
    return inside if inside.exists() else _PACKAGE.parent / name


def write(folder: Path, instead: Mapping[str, bytes] | None = None) -> Path:
    """Write the installed package to a folder as a wheel; nothing is fetched and nothing is built.

    Parameters
    ----------
    folder : Path
        Where to.
    instead : mapping, optional
        Files of the package that shall have other contents, by their place in it.

    Returns
    -------
    Path
        The wheel, named by its version.

    Raises
    ------
    ReportError
        When the package runs from a copy that was never installed, and so has no metadata.
    """
    try:
        installed = importlib.metadata.distribution(_NAME)
    except importlib.metadata.PackageNotFoundError:
        raise ReportError("The package is not installed. Type: pip install -e . in its folder.") from None
    name = f"{_NAME.replace('-', '_')}-{installed.version}"
    contents = {f"retention_kit/{place}": path.read_bytes() for place, path in _files()}
    contents |= {f"retention_kit/{place}": data for place, data in (instead or {}).items()}
    contents |= {f"{name}.dist-info/{place}": text for place, text in _metadata(installed)}
    record = "".join(f"{place},sha256={_digest(data)},{len(data)}\n" for place, data in contents.items())
    contents[f"{name}.dist-info/RECORD"] = f"{record}{name}.dist-info/RECORD,,\n".encode()
    path = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for place, data in contents.items():
            add(wheel, place, data)
    return path


def add(archive: zipfile.ZipFile, place: str, data: bytes) -> None:
    """Put a file into a zip so that the same files make the same bytes, wherever and whenever."""
    entry = zipfile.ZipInfo(place, date_time=_MOMENT)
    entry.external_attr, entry.create_system = 0o644 << 16, 3
    archive.writestr(entry, data, compress_type=zipfile.ZIP_DEFLATED, compresslevel=9)


def _files() -> Iterable[tuple[str, Path]]:
    """Every file of the package by its place in it, in one order."""
    found = {path.relative_to(_PACKAGE).as_posix(): path for path in _below(_PACKAGE)}
    for name, place in TRAVELS.items():
        source = shipped(name)
        for path in _below(source) if source.is_dir() else [source]:
            found[(Path(place) / path.relative_to(source)).as_posix()] = path
    return sorted(found.items())


def _below(folder: Path) -> list[Path]:
    inside = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in inside if not any(_is_made(part) for part in path.relative_to(folder).parts)]


def _is_made(name: str) -> bool:
    """Whether a machine left it there: compiled modules, checkpoints."""
    return name == "__pycache__" or name.startswith(".")


def _metadata(installed: importlib.metadata.Distribution) -> list[tuple[str, bytes]]:
    """What pip reads: name, version, what is needed, the command and the licence, as they were installed."""
    kept = [
        (place, installed.read_text(place)) for place in ("METADATA", "entry_points.txt", "licenses/LICENSE")
    ]
    told = [*kept, ("WHEEL", _WHEEL.format(version=installed.version))]
    return [(place, text.encode()) for place, text in told if text]


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
