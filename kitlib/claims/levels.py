"""The levels that a treatment can have: declared where it is measured, checked before the first trial, and again at each call.

    @takes({"back_seconds": "s"}, event=EVENTS)
    def disturb(namespace, name, event): ...

A learner calls such a function from a cell's own function.  `check` reads the source of that function, and runs nothing: it looks
at the calls that every trial makes, and at the tables in which a level is looked up.  What it cannot read is checked at the call.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from types import ModuleType
from typing import Any, ParamSpec, TypeVar

from kitlib.errors import UsageError, choice

P = ParamSpec("P")
R = TypeVar("R")
Known = Collection[Any] | Callable[[], Collection[Any]]
MINE = "mine"  # the level of a learner's own file: measured and drawn beside the others, and never judged
TRIALS = "trials"  # the parameter of a function that gets one mapping per trial
Place = tuple[str, Callable[[Any], Any]]  # the treatment that an argument comes from, and what is made of its level


def takes(units: Mapping[str, str] | None = None, /, **known: Known) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare the levels that a measurement knows: parameter, or key of its `trials`, to all levels (or a function that lists them).

    A call with another level raises UsageError before anything is touched.  An argument that is a list is checked item by item.
    units: metric -> unit of what it returns, for experiments that are given none.
    """

    def declare(measure: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(measure)

        @wraps(measure)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            for name, every in known.items():
                for level in _given(name, bound.arguments):
                    _require(name, level, every)
            return measure(*args, **kwargs)

        checked.levels, checked.units = known, dict(units or {})  # type: ignore[attr-defined]
        return checked

    return declare


def check(measure: Callable[..., Any], over: Mapping[str, Sequence[Any]]) -> None:
    """Raise UsageError for a level that the measure is known to refuse."""
    for name, known in getattr(measure, "levels", {}).items():
        _check_levels(name, over, known)
    for (name, made), known in _Source.of(measure).declared:
        _check_levels(name, over, known, made)


def units(measure: Callable[..., Any]) -> dict[str, str]:
    """Metric -> unit, as the measure, or what it calls, declares."""
    return {**_Source.of(measure).units, **getattr(measure, "units", {})}


def _given(name: str, arguments: Mapping[str, Any]) -> list[Any]:
    if name in arguments:
        value = arguments[name]
        return list(value) if isinstance(value, list | tuple) else [value]
    trials = arguments[TRIALS]
    if missing := [trial for trial in trials if name not in trial]:
        raise UsageError(f"a trial has no {name!r}: {dict(missing[0])}", hint=f'over={{"{name}": [...]}}')
    return [trial[name] for trial in trials]


def _require(name: str, level: Any, known: Known) -> None:
    choice(level, known() if callable(known) else known, f"a level of {name!r}")


def check_names(measure: Callable[..., Any], over: Mapping[str, Sequence[Any]]) -> None:
    """Raise UsageError for a treatment that the measure has no parameter for, and for a parameter that is no treatment."""
    try:
        wanted = inspect.signature(measure).parameters
    except (TypeError, ValueError):
        return
    kinds = {parameter.kind for parameter in wanted.values()}
    if {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY} & kinds:
        return
    for name in over:
        choice(name, wanted, f"a treatment that {getattr(measure, '__name__', 'the measure')} takes")
    required = [name for name, parameter in wanted.items() if parameter.default is parameter.empty]
    if missing := [name for name in required if name not in over]:
        raise UsageError(f"over= has no {missing[0]!r}", hint=f'over={{"{missing[0]}": [...]}}')


def _check_levels(
    name: str, over: Mapping[str, Sequence[Any]], known: Known, made: Callable[[Any], Any] = lambda level: level
) -> None:
    for level in over.get(name, ()):
        _require(name, made(level), known)


@dataclass
class _Source:
    """The body of a function, as far as every call of it runs: what it declares through the functions that it calls."""

    names: Mapping[str, Any]
    own: set[str]
    declared: list[tuple[Place, Known]] = field(default_factory=list)
    units: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, measure: Callable[..., Any]) -> _Source:
        """Read what can be read; a function without a source declares nothing."""
        if hasattr(measure, "levels"):
            return cls({}, set())
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(measure)))
            near = inspect.getclosurevars(measure)
        except (OSError, TypeError, SyntaxError, ValueError):
            return cls({}, set())
        found = cls({**near.globals, **near.nonlocals}, set(inspect.signature(measure).parameters))
        if isinstance(tree.body[0], ast.FunctionDef):
            found._statements(tree.body[0].body)
        return found

    def _statements(self, body: list[ast.stmt]) -> None:
        """Up to the first statement that only some calls reach, or that could end the function early."""
        for statement in body:
            match statement:
                case ast.Return(value=value) | ast.Expr(value=value):
                    self._expression(value)
                case ast.Assign(targets=targets, value=value):
                    self._expression(value)
                    changed = {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}
                    self.own -= changed
                    self.names = {name: value for name, value in self.names.items() if name not in changed}
                case _:
                    return

    def _expression(self, node: ast.AST | None) -> None:
        """All that is evaluated whenever the expression is."""
        match node:
            case None | ast.Lambda() | ast.GeneratorExp() | ast.ListComp() | ast.SetComp() | ast.DictComp():
                return
            case ast.IfExp(test=first) | ast.BoolOp(values=[first, *_]):
                self._expression(first)
                return
            case ast.Call():
                self._call(node)
            case ast.Subscript(value=table, slice=ast.Name(id=name)) if name in self.own:
                if isinstance(keys := self._value(table), Mapping):
                    self.declared.append(((name, lambda level: level), keys))
        for child in ast.iter_child_nodes(node):
            self._expression(child)

    def _call(self, node: ast.Call) -> None:
        called = self._value(node.func)
        known = getattr(called, "levels", None)
        if known is None:
            return
        self.units |= called.units
        method = isinstance(node.func, ast.Attribute) and not isinstance(self._value(node.func.value), ModuleType)
        parameters = list(inspect.signature(called).parameters)[int(method) :]
        listed = itertools.takewhile(lambda arg: not isinstance(arg, ast.Starred), node.args)
        given = dict(zip(parameters, listed, strict=False)) | {k.arg: k.value for k in node.keywords if k.arg}
        for name, every in known.items():
            if name in given:
                self.declared += [(place, every) for place in self._places(given[name])]
            elif name not in parameters and isinstance(given.get(TRIALS), ast.Name):
                self.declared.append(((name, lambda level: level), every))

    def _places(self, node: ast.expr) -> Iterator[Place]:
        """The treatment that an argument is made of: `event`, `f"goapp-{image}"`, `[trial["way"] for trial in trials]`."""
        match node:
            case ast.Name(id=name) if name in self.own:
                yield name, lambda level: level
            case ast.JoinedStr(values=parts):
                inside = [part for part in parts if isinstance(part, ast.FormattedValue)]
                if len(inside) == 1 and inside[0].conversion == -1 and inside[0].format_spec is None:
                    before, after = (_text(parts[: (at := parts.index(inside[0]))]), _text(parts[at + 1 :]))
                    yield from ((name, _around(before, made, after)) for name, made in self._places(inside[0].value))
            case ast.ListComp(
                elt=ast.Subscript(value=ast.Name(), slice=ast.Constant(value=str(key))), generators=[each]
            ):
                if not each.ifs and isinstance(each.iter, ast.Name) and each.iter.id in self.own:
                    yield key, lambda level: level

    def _value(self, node: ast.expr) -> Any:
        """What a name, or an attribute of a module or of a class, means; None when only a call could tell."""
        match node:
            case ast.Name(id=name) if name not in self.own:
                return self.names.get(name)
            case ast.Attribute(value=of, attr=name):
                owner = self._value(of)
                return getattr(owner if isinstance(owner, ModuleType) else type(owner), name, None)
        return None


def _text(parts: list[ast.expr]) -> str:
    return "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))


def _around(before: str, made: Callable[[Any], Any], after: str) -> Callable[[Any], str]:
    return lambda level: f"{before}{made(level)}{after}"
