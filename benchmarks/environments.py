"""An environment of its own for each peer that does not go with ours, or why there is none."""

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
HOME = Path(sys.prefix) / "peers"
_SCRIPTS = "Scripts" if os.name == "nt" else "bin"


class Missing(Exception):
    """A peer that could not be installed, and why, in a line."""


def python_of(peer: str) -> Path:
    """The Python of a peer's environment, made once from `benchmarks/<peer>.txt`.

    Raises
    ------
    Missing
        When it cannot be made, without network for one.
    """
    wanted, home = FOLDER / f"{peer}.txt", HOME / peer
    python, made = home / _SCRIPTS / "python", home / "made.txt"
    if made.exists() and made.read_text("utf-8") == wanted.read_text("utf-8"):
        return python
    _uv("venv", "--clear", "--python", sys.executable, str(home))
    _uv("pip", "install", "--only-binary", ":all:", "--python", str(python), "-r", str(wanted))
    made.write_text(wanted.read_text("utf-8"), "utf-8")
    return python


def version_of(peer: str) -> str:
    """The peer and its version, as the table names it."""
    lines = (FOLDER / f"{peer}.txt").read_text("utf-8").splitlines()
    return next(line for line in lines if line.startswith(f"{peer}==")).replace("==", " ")


def _uv(*given: str) -> None:
    uv = Path(sys.prefix) / _SCRIPTS / "uv"
    try:
        subprocess.run([str(uv), "--quiet", *given], check=True, capture_output=True, text=True)
    except OSError:
        raise Missing("its environment needs uv, which is not installed") from None
    except subprocess.CalledProcessError as error:
        said = " ".join(error.stderr.split())[:200]
        raise Missing(f"its environment could not be made: {said}") from None
