"""Text files: those that people write for the kit, read so that an error is one line with the file's name; and those that it writes."""

from __future__ import annotations

import os
from pathlib import Path

from kitlib import paths
from kitlib.errors import InputError


def read(file: Path, *, error: type[InputError] = InputError) -> str:
    """The text of a file in UTF-8.  Raises `error` when it is not there, cannot be read, or is not UTF-8 (with the line)."""
    try:
        raw = file.read_bytes()
    except OSError as e:
        raise error(f"{shown(file)} cannot be read: {reason(e)}", hint=restore(file)) from e
    try:
        return raw.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as e:
        line = raw.count(b"\n", 0, e.start) + 1
        raise error(f"{shown(file)}, line {line}: byte {raw[e.start]:#04x} is not UTF-8", hint=restore(file)) from e


def put(file: Path, content: str | bytes) -> None:
    """Write a file as a whole: a reader sees the old one or the new one, and an error leaves nothing beside it.  Raises OSError."""
    partial = file.with_name(f".{os.getpid()}.{file.name}")
    try:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def between(text: str, begin: str, end: str, part: str) -> str | None:
    """A page's text with this part, on lines of its own, between two markers; None when the markers are missing."""
    before, begun, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    return f"{before}{begin}\n\n{part}\n\n{end}{after}" if begun and ended else None


def shown(file: Path) -> str:
    """A file's name for a message: relative to the checkout for a file in it, and on one line even if the name has line breaks."""
    inside = file.relative_to(paths.ROOT) if file.is_relative_to(paths.ROOT) else file
    return one_line(str(inside))


def reason(error: OSError) -> str:
    """The system's message, without the file's name, which the error has already."""
    return (error.strerror or str(error) or type(error).__name__).lower()


def one_line(text: str) -> str:
    """Text with its line breaks and control characters written out."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def restore(file: Path) -> str:
    """The next step for a file that the repository has."""
    name = shown(file)
    return f"correct it; git diff {name} shows what changed" if file.is_relative_to(paths.ROOT) else f"correct {name}"
