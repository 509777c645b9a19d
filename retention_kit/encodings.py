"""Bytes of a text file made UTF-8, which is all that the engine reads; lines that were not are counted."""

import codecs
import io
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from retention_kit import session
from retention_kit.exceptions import DataError
from retention_kit.sentences import phrase

# The letters beyond a-z of languages, under the Windows encoding their exports are written in. A guess
# by language tells cp1250 from cp1252, which general detectors take for equals on short Latin text.
# The pound sign is a letter here: in cp1250 and cp1251 its byte is one.
_ALPHABETS = {
    "cp1252": ("àâçèéêëîïôùûœæ£", "äöüß£", "áéíóúñü¿¡£", "ãõáâçéêíóôàú£", "àèéìòù£", "åäöæøé£"),
    "cp1250": ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áéíóöőúüű", "ăâîşţ", "čćđšž", "áäčďéíĺľňóôŕšťúýž"),
    "cp1251": ("абвгдежзийклмнопрстуфхцчшщъыьэюяё", "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"),
}
_CHUNK = 1 << 20
_SAMPLE = 1 << 16
_NAMED = 5  # lines that a warning names by number
# Latin beside Cyrillic is no word.
_HALF_AND_HALF = re.compile("[a-z][\u0400-\u04ff]|[\u0400-\u04ff][a-z]", re.IGNORECASE)
_FEW = 3  # letters beyond a-z that can tell a line's language
_FOREIGN = 0.75  # of a line's letters, fewer in the one language they fit best are no words of it


@dataclass(frozen=True)
class Decoded:
    """A UTF-8 copy (None: the file already is), and what was done, in words ("" when nothing)."""

    path: Path | None
    words: str
    is_mixed: bool = False  # some lines were written otherwise than others
    damage: str = ""  # what no export holds and was taken away, in words


def as_utf8(file: IO[bytes], encoding: str | None, *, name: str, folder: Path) -> Decoded:
    """A file the engine can read: itself when it is UTF-8, else a copy with every line decoded.

    Lines that are UTF-8 stay as they are, so a file glued together from two exports
    keeps both right; the others are decoded as `encoding`, or as the guess that is shown.

    Raises
    ------
    DataError
        When the file is empty, or the encoding is none that Python knows.
    """
    start = file.read(4)
    if not start:
        raise DataError(f"{name} is empty. Export it again, or give another file.")
    file.seek(0)
    wide = _wide(start) if encoding is None else None
    given = _known(encoding, name) or wide
    if given and given.startswith(("utf-16", "utf-32")):
        return _copied(file, given, name, folder, words=phrase("note.encoding", file=name, encoding=given))
    if given in (None, "utf-8"):
        is_utf8, is_plain = _scanned(file)
        if is_utf8 and is_plain:
            return Decoded(None, "")
        file.seek(0)
        given = "utf-8" if is_utf8 else _guess(file)
    file.seek(0)
    return _copied_by_line(file, given, name, folder)


def _known(encoding: str | None, name: str) -> str | None:
    if encoding is None:
        return None
    try:
        "".encode(encoding)  # refuses the codecs of Python that are no encoding of text, such as base64
        return codecs.lookup(encoding).name.replace("_", "-").removesuffix("-sig")
    except LookupError:
        raise DataError(
            f"{name}: {encoding!r} is no encoding. Say encoding='utf-8', 'utf-16', 'cp1250', 'cp1251' "
            "or 'cp1252'."
        ) from None


def _wide(start: bytes) -> str | None:
    if start in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
        return "utf-32"
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    # Without a mark: the first letter of a header is mostly ASCII, and then one of its two bytes is zero.
    if start[:1] == b"\0":
        return "utf-16-be"
    return "utf-16-le" if start[1:2] == b"\0" else None


def _scanned(file: IO[bytes]) -> tuple[bool, bool]:
    """Whether a file is UTF-8, and whether its lines all end alike and no byte of it is zero."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8, has_zero, ends, last = True, False, Counter[bytes](), b""
    while chunk := file.read(_CHUNK):
        has_zero = has_zero or b"\0" in chunk
        whole = last + chunk
        both = whole.count(b"\r\n") - last.count(b"\r\n")
        ends.update({b"\r\n": both, b"\n": chunk.count(b"\n") - both, b"\r": chunk.count(b"\r") - both})
        last = chunk[-1:]
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError:
            is_utf8 = False
            break
    return is_utf8 and _ends_whole(decoder), sum(count > 0 for count in ends.values()) < 2 and not has_zero


def _ends_whole(decoder: codecs.IncrementalDecoder) -> bool:
    return not decoder.getstate()[0]


def _guess(file: IO[bytes]) -> str:
    """The legacy encoding that makes the lines which are not UTF-8 read most like a language.

    Each line like one of its own, for customers come from many countries; then all like one.
    """
    lines: list[bytes] = []
    size = 0
    for line in file:
        if not _line_is_utf8(line):
            lines.append(line)
            size += len(line)
        if size > _SAMPLE:
            break
    sample = b"".join(lines)

    def likeness(encoding: str) -> tuple[float, float]:
        by_line = sum(_likeness(line, encoding) for line in lines) / len(lines)
        return round(by_line, 2), _likeness(sample, encoding)

    return max(_ALPHABETS, key=likeness)


def _likeness(sample: bytes, encoding: str) -> float:
    """The share of letters beyond ASCII that belong to the one language they fit best."""
    decoded = sample.decode(encoding, errors="replace").lower()
    beyond = [character for character in decoded if ord(character) > 127]
    if encoding == "cp1252":  # £5 is money, £ukasz is Łukasz misread
        decoded = re.sub(r"£(?=[^\W\d_])", "", decoded)
    if encoding == "cp1251":  # a word half Latin and half Cyrillic is Latin text misread
        decoded = re.sub(r"\w*[a-z]\w*", "", decoded)
    return max(sum(map(decoded.count, letters)) for letters in _ALPHABETS[encoding]) / len(beyond)


def _line_is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _copied(file: IO[bytes], encoding: str, name: str, folder: Path, *, words: str) -> Decoded:
    path = folder / session.new_name("decoded.csv")
    decoder = codecs.getincrementaldecoder(encoding)()
    ends = io.IncrementalNewlineDecoder(None, translate=True)
    zeros: list[int] = []
    line = 1
    try:
        with path.open("w", encoding="utf-8", newline="") as copy:
            while True:
                chunk = file.read(_CHUNK)
                text = ends.decode(decoder.decode(chunk, final=not chunk), final=not chunk)
                if "\0" in text:
                    zeros.append(line + text.count("\n", 0, text.index("\0")))
                line += text.count("\n")
                copy.write(text.replace("\0", ""))
                if not chunk:
                    break
    except UnicodeError:
        raise DataError(
            f"{name} is not {encoding} throughout, or is cut off. Export it again, or say encoding=."
        ) from None
    return Decoded(path, words, damage=_damage(name, zeros))


def _copied_by_line(file: IO[bytes], encoding: str, name: str, folder: Path) -> Decoded:
    """Each line decoded, ended alike and without the bytes of zero that a crash or a bad disk leaves."""
    path = folder / session.new_name("decoded.csv")
    others: dict[str, list[int]] = {}  # encoding to the numbers of its lines
    suiting = list(_ALPHABETS)  # encodings in which every line reads as it was read
    is_utf8 = False  # whether some line is UTF-8 and could not be anything else
    zeros: list[int] = []
    with path.open("wb") as copy:
        for number, raw in enumerate(file, start=1):
            line = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            if b"\0" in line:
                zeros.append(number)
                line = line.replace(b"\0", b"")
            if _line_is_utf8(line):
                is_utf8 = is_utf8 or not line.isascii()
                copy.write(line)
                continue
            written, text = _best(line, encoding)
            others.setdefault(written, []).append(number)
            suiting = [each for each in suiting if each == written or _decoded(line, each) == text]
            copy.write(text.encode("utf-8"))
    if len(others) > 1 and suiting:  # Groß is the same in cp1250 and in cp1252: no mixture
        others = {suiting[0]: sorted(number for numbers in others.values() for number in numbers)}
    words, is_mixed = _words(others, is_utf8, name)
    return Decoded(path, words, is_mixed, _damage(name, zeros))


def _damage(name: str, lines: list[int]) -> str:
    """That there were bytes of zero, and from which line on."""
    return phrase("note.zeros", file=name, line=lines[0]) if lines else ""


def _words(others: dict[str, list[int]], is_utf8: bool, name: str) -> tuple[str, bool]:
    if not others:
        return "", False
    if not is_utf8 and len(others) == 1:
        [(written, lines)] = others.items()
        return phrase("note.not_utf8", file=name, lines=len(lines), encoding=written), False
    parts = [_part(written, lines) for written, lines in others.items()]
    return phrase("note.mixed", file=name, parts=parts), True


def _part(encoding: str, lines: list[int]) -> str:
    """Which lines were read as an encoding: the first by number, the rest by their count."""
    named = ", ".join(map(str, lines[:_NAMED]))
    key = "note.mixed_more" if len(lines) > _NAMED else "note.mixed_lines"
    return phrase(key, encoding=encoding, lines=named, more=len(lines) - _NAMED)


def _best(line: bytes, encoding: str) -> tuple[str, str]:
    """A line's encoding and its text: the file's, unless that makes no language of it and another does."""
    text = _decoded(line, encoding)
    beyond = {letter for letter in text.lower() if ord(letter) > 127 and letter.isalpha()}
    is_foreign = len(beyond) >= _FEW and encoding in _ALPHABETS and _likeness(line, encoding) < _FOREIGN
    if is_foreign or (encoding == "cp1251" and _HALF_AND_HALF.search(text)):
        for other in _ALPHABETS:
            if other != encoding and _likeness(line, other) == 1:
                return other, _decoded(line, other)
    return encoding, text


def _decoded(line: bytes, encoding: str) -> str:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return line.decode("latin-1")  # every byte is some letter there: nothing is lost
