"""The names of the kit that code and prose use: what is imported, and dotted chains such as `kit.views.owner_tree`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

import kitlib

IN_PROSE = re.compile(r"(?<![\w./-])kit\.[A-Za-z]\w*(?:\.[A-Za-z]\w*)*")


def cells(path: Path, kind: str) -> list[str]:
    """The sources of a notebook's cells of one kind."""
    notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


def parsed(code: Iterable[str]) -> ast.Module:
    """Code cells as one module; magics and shell lines become the calls that IPython makes of them."""
    transform = TransformerManager().transform_cell
    return ast.parse("\n".join(transform(cell) for cell in code))


def imports(module: ast.Module) -> list[str]:
    """The statements that import kitlib or a part of it, as written."""
    return [
        ast.unparse(node)
        for node in ast.walk(module)
        if (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "kitlib" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "kitlib")
    ]


def chains(module: ast.Module) -> set[str]:
    """Each dotted chain that begins with `kit`, as `kit.a.b`; aliases such as `rollout = kit.workloads.rollout` are followed."""
    dotted = {ast.unparse(node) for node in ast.walk(module) if isinstance(node, ast.Attribute) and _plain(node)}
    known = {"kit": "kit"} | dict(_aliases(module))
    found = set()
    for chain in dotted:
        first, _, rest = chain.partition(".")
        if first in known:
            found.add(f"{known[first]}.{rest}")
    return found


def _aliases(module: ast.Module) -> Iterator[tuple[str, str]]:
    """The names that stand for a chain; a name that is assigned anything else as well is none."""
    given: dict[str, set[str]] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            given.setdefault(node.targets[0].id, set()).add(ast.unparse(node.value) if _plain(node.value) else "")
    for name, values in given.items():
        if len(values) == 1 and (value := values.pop()).startswith("kit."):
            yield name, value


def _plain(node: ast.expr) -> bool:
    """Whether this is a chain of names alone: `a.b.c`, without calls."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def resolve(chain: str) -> object:
    """What the chain stands for.  Raises AttributeError when a part of it does not exist."""
    found: object = kitlib
    for part in chain.split(".")[1:]:
        found = getattr(found, part)
    return found


def strings(module: ast.Module) -> Iterator[str]:
    """The texts in a module: tasks, hints, docstrings."""
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
