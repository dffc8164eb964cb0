"""TOML that describes things by name: each table becomes a dataclass; an error has the file and the line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from kitlib.errors import InputError, meant
from kitlib.host import textfile

Made = TypeVar("Made")
NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")  # a name becomes a part of references and of file names


@dataclass(frozen=True)
class Toml:
    """A file of TOML that could be read.  Its messages begin with 'cluster/images.toml, line 12'."""

    file: Path
    text: str
    tables: Mapping[str, Any]

    @classmethod
    def read(cls, file: Path) -> Toml:
        """Raises InputError when the file is not there, not UTF-8 or not TOML."""
        text = textfile.read(file)
        try:
            return cls(file, text, tomllib.loads(text.replace("\r\n", "\n")))
        except tomllib.TOMLDecodeError as e:
            found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", str(e))
            line = int(found[1]) if found and found[1] else len(text.splitlines())
            what = str(e)[: found.start()] if found else str(e)
            place = f"{textfile.shown(file)}, line {line}"
            raise InputError(f"{place}: is not TOML: {textfile.one_line(what)}", hint=textfile.restore(file)) from e
        except RecursionError:
            raise InputError(f"{textfile.shown(file)} is nested too deeply", hint=textfile.restore(file)) from None

    def all(self, made: type[Made]) -> dict[str, Made]:
        """Each table as a dataclass whose first field is the table's name."""
        for name, values in self.tables.items():
            if not isinstance(values, dict):
                raise self.error(f"{name!r} is no table", name, hint=f"[{name}] on a line of its own, its keys below")
            if not NAME.fullmatch(name):
                raise self.error(
                    f"{name!r} is not a name",
                    name,
                    hint="use lower-case letters and digits, with . _ or - between them",
                )
        return {name: self.one(made, values, name) for name, values in self.tables.items()}

    def one(self, made: type[Made], values: Mapping[str, Any], table: str = "") -> Made:
        """A dataclass of these values; of a table, its first field is the table's name.  Raises InputError if one does not fit."""
        known = {f.name: f for f in fields(made)[bool(table) :]}  # type: ignore[arg-type]
        types = get_type_hints(made)
        for key, value in values.items():
            if key not in known:
                raise self.error(f"unknown key {key!r}", table, key, hint=meant(key, known))
            if problem := _misfit(value, types[key]):
                raise self.error(f"{key} is {problem}", table, key)
        for name, of in known.items():
            if name not in values and of.default is MISSING and of.default_factory is MISSING:
                raise self.error(f"{name} is missing", table)
        given = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
        return made(*([table] if table else []), **given)

    def error(self, message: str, table: str = "", key: str = "", *, hint: str = "") -> InputError:
        """The error about a table, or about a key of it, with its line."""
        place = f"{textfile.shown(self.file)}, line {self._line(table, key)}"
        about = f" ({textfile.one_line(table)})" if table else ""
        return InputError(f"{place}{about}: {textfile.one_line(message)}", hint=hint or textfile.restore(self.file))

    def _line(self, table: str, key: str) -> int:
        """The line of a table, or of a key in it: tomllib does not report lines.  1 when it is written in an unusual way."""
        lines = self.text.splitlines()
        start = _find(lines, rf"\[+\s*{_quoted(table)}\s*[\].]|{_quoted(table)}\s*[=.]", 0) if table else 0
        if start is None:
            return 1
        found = _find(lines, rf"(?:\[.*)?{_quoted(key)}\s*[=.\]]", start) if key else None
        return (start if found is None else found) + 1


def _find(lines: list[str], pattern: str, start: int) -> int | None:
    return next((i for i in range(start, len(lines)) if re.match(rf"\s*(?:{pattern})", lines[i])), None)


def _quoted(name: str) -> str:
    return rf"[\"']?{re.escape(name)}[\"']?"


def _misfit(value: Any, wanted: Any) -> str:
    """A description of a value that is not of its type; empty when it is."""
    shown = repr(value)
    if wanted in (str, bool):
        return "" if type(value) is wanted else f"{shown}, where a {wanted.__name__} is needed"
    if wanted == tuple[str, ...]:
        fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return "" if fits else f"{shown}, where a list of str is needed"
    if not isinstance(value, dict):
        return f"{shown}, where a table is needed"
    fits = wanted != dict[str, str] or all(isinstance(item, str) for item in value.values())
    return "" if fits else f"{shown}, where a table of str is needed"
