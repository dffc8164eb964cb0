"""Parameters of headless runs: `-p KEY=VALUE` is text, unless the default in the notebook's own parameters cell is of another type."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import nbformat
import papermill

from kitlib.errors import UsageError
from kitlib.runner.chapters import Chapter

OWN = "profile"  # the parameter that has an option of its own
Defaults = Mapping[str, Any]  # a parameter's default


def parse(words: Sequence[str]) -> dict[str, str]:
    """KEY=VALUE, each key once; the value is everything behind the first `=`.  Its type depends on the chapter; see `fit`."""
    given: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key.isidentifier():
            raise UsageError(f"{word!r} is not KEY=VALUE", hint="a name, =, and the value, as in -p KEY=VALUE")
        if key in given:
            raise UsageError(f"the parameter {key!r} is given twice", hint=f"give one -p {key}=VALUE")
        if not _is_text(value):
            raise UsageError(f"the value of {key!r} is not UTF-8", hint="write it in UTF-8")
        given[key] = value
    return given


def defaults(chapter: Chapter) -> Defaults:
    """The parameters of a chapter's parameters cell with their defaults; none of a notebook that is broken."""
    if chapter.problem:
        return {}
    nb: Any = nbformat.read(chapter.path, as_version=4)  # type: ignore[no-untyped-call]
    cells = (cell for cell in nb.cells if "parameters" in cell.metadata.get("tags", []))
    source = next(cells, {"source": ""})["source"]
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic, or another language
        return dict.fromkeys(papermill.inspect_notebook(chapter.path), "")
    return {name: _literal(value) for node in tree.body for name, value in _assigned(node)}


def fit(chosen: Sequence[Chapter], given: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """For each chapter, the values of its own parameters: text is converted to the type of the chapter's default.

    Raises UsageError for a parameter that no chapter has, and for a value that is not of its type.
    """
    known = {chapter.name: defaults(chapter) for chapter in chosen}
    everything: dict[str, Any] = {name: value for own in known.values() for name, value in own.items()}
    if OWN in given:
        raise UsageError("the profile is not a parameter of its own", hint="--profile quick, or --profile full")
    for name in given:
        if name not in everything:
            raise UsageError(f"no chosen chapter has a parameter {name!r}", hint=_hint(everything))
    return {
        chapter: {name: _typed(name, value, own[name]) for name, value in given.items() if name in own}
        for chapter, own in known.items()
    }


def _hint(known: Mapping[str, Any]) -> str:
    """The parameters that these chapters accept: one of them with its own default, and the names of all."""
    words = {name: f"-p {shlex.quote(f'{name}={_shown(value)}')}" for name, value in known.items() if name != OWN}
    if words:
        return f"{next(iter(words.values()))}; they have {', '.join(words)}"
    return "they have none but the profile: --profile full" if OWN in known else "they have none"


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, list | dict) else repr(value)


def _typed(name: str, value: object, default: Any) -> object:
    convert = CONVERT.get(type(default))
    if not isinstance(value, str) or convert is None:
        return value
    try:
        return convert(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError, OverflowError):
        kind = type(default).__name__
        raise UsageError(
            f"the parameter {name!r} is {WORDS[kind]} ({kind}), and {_short(value)!r} is not",
            hint=f"for instance -p {shlex.quote(f'{name}={_shown(default)}')}",
        ) from None


def _short(value: str) -> str:
    return value if len(value) <= 60 else f"{value[:60]}…"


def _int(value: str) -> int:
    if not re.fullmatch(r"[+-]?\d+", value, re.ASCII):
        raise ValueError(value)
    return int(value)


def _float(value: str) -> float:
    return float(_finite(float(value)))


def _bool(value: str) -> bool:
    return {"true": True, "false": False}[value.lower()] if value.lower() in ("true", "false") else _refuse(value)


def _none(value: str) -> str | None:
    """A default of None allows None, and does not fix the type of other values."""
    return None if value in ("None", "null") else value


def _container(kind: type) -> Callable[[str], Any]:
    def convert(value: str) -> Any:
        try:
            found = json.loads(value)
        except ValueError:
            found = ast.literal_eval(value)
        return _finite(found) if isinstance(found, kind) else _refuse(value)

    return convert


def _refuse(value: str) -> Any:
    raise ValueError(value)


def _finite(value: Any) -> Any:
    """The value, if JSON can express all of it."""
    if json.loads(json.dumps(value, allow_nan=False)) != value:  # a key that is no text
        raise ValueError(value)
    return value


CONVERT: Mapping[type, Callable[[str], Any]] = {
    bool: _bool,
    int: _int,
    float: _float,
    type(None): _none,
    list: _container(list),
    dict: _container(dict),
}
WORDS = {"bool": "true or false", "int": "a whole number", "float": "a number", "list": "a list", "dict": "a mapping"}


def _assigned(node: ast.stmt) -> list[tuple[str, ast.expr | None]]:
    if isinstance(node, ast.Assign):
        return [(target.id, node.value) for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        return [(node.target.id, node.value)]
    return []


def _literal(value: ast.expr | None) -> Any:
    """The default, "" where it is computed: such a parameter is text."""
    try:
        found = ast.literal_eval(value) if value is not None else ""
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return ""
    return list(found) if isinstance(found, tuple) else found


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
