"""The keys of chapters.yaml and agendas.yaml, and the types of their values; what does not fit is refused in one line."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sized
from typing import Any

from kitlib.errors import InputError, meant
from kitlib.host import yamlfile

Type = type | tuple[type, ...]
Types = Mapping[str, Type]

CHAPTER: Types = {"id": str, "title": str, "question": str, "skills": list, "minutes": int, "after": list} | {
    "needs": list,
    "recap": list,
    "measuring": dict,
    "questions": list,
}
MEASURED: Types = {"minutes": (int, float), "source": str}
QUESTION: Types = {"id": str, "asks": str, "options": list, "source": str}
OPTION: Types = {"says": str, "because": str, "right": bool}
ITEMS: Types = {"questions": dict, "options": dict, "days": list}  # of lists; the items of all others are text
EMPTY = {"after", "assumes"}  # lists that may be empty


def check(entry: Any, types: Types, optional: Collection[str], where: str) -> None:
    """Check that an entry has every required key, no unknown key, and values of their types.  Raises InputError."""
    if not isinstance(entry, Mapping):
        raise InputError(f"{where} is {entry!r}, not a mapping", hint=f"its keys are {', '.join(types)}")
    if missing := [key for key in types if key not in entry and key not in optional]:
        raise InputError(f"{where}: {missing[0]} is missing", hint=f"the keys are {', '.join(types)}")
    for key, value in entry.items():
        if key not in types:
            raise InputError(f"{where}: unknown key {key!r}", hint=meant(str(key), types))
        _check_value(value, types[key], f"{where}: {key}", may_be_empty=key in EMPTY)
        for number, item in enumerate(value if isinstance(value, list) else ()):
            _check_value(item, ITEMS.get(key, str), f"{where}: {key}, item {number + 1}")


def count(given: Sized, within: tuple[int, int], what: str) -> None:
    """Check that there are neither too few nor too many.  Raises InputError."""
    fewest, most = within
    if not fewest <= len(given) <= most:
        raise InputError(f"{what}: {len(given)} of them", hint=f"{fewest} to {most}")


def _check_value(value: Any, wanted: Type, what: str, *, may_be_empty: bool = False) -> None:
    yamlfile.check_type(value, wanted, what)
    if isinstance(value, str | list | dict) and not value and not may_be_empty:
        raise InputError(f"{what} is empty", hint="fill it in, or take an optional key out")
    if isinstance(value, int | float) and not isinstance(value, bool) and not 0 < value < math.inf:
        raise InputError(f"{what} is {value}", hint="minutes are a number above zero")
