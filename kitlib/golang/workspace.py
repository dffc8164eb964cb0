"""A chapter's Go module in the cluster's state folder, and the cells that are its files."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from kitlib.errors import UsageError
from kitlib.host import identity, tools

KEPT = "exercises"  # the folder with a learner's answers, which only an exercise's reset removes
_MODULE = re.compile(r"[a-z0-9][\w-]*")
_NAME = re.compile(r"[a-z0-9][\w-]*(/[a-z0-9][\w-]*)*(\.go)?")
_PACKAGE = re.compile(r"^package[ \t]+\w+", re.MULTILINE)


@dataclass(frozen=True)
class Module:
    """A Go module.  path: what its packages' import paths begin with."""

    name: str
    folder: Path

    @classmethod
    def at(cls, name: str) -> Module:
        """The module of that name of this cluster's chapters, whether or not it is there.  Raises UsageError for other names."""
        if not _MODULE.fullmatch(name):
            raise UsageError(f"{name!r} names no module", hint="like basics: small letters, digits, dashes")
        return cls(name, identity.home() / "go" / name)

    @classmethod
    def open(cls, name: str) -> Module:
        """The module of that name, created when it is missing."""
        module = cls.at(name)
        module.folder.mkdir(parents=True, exist_ok=True)
        file = module.folder / "go.mod"
        if not file.exists():
            file.write_text(f"module {module.path}\n\ngo {tools.go_version()}\n")
        return module

    @property
    def path(self) -> str:
        """The module path, with which its packages' import paths begin."""
        return f"kit.local/{self.name}"

    def write(self, file: str, text: str) -> None:
        """Write one file of the module, given like `hello/main.go`."""
        target = self.folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def remove(self, package: str) -> None:
        """Remove one package's folder, if it exists; with the last package, remove the module."""
        shutil.rmtree(self.folder / package, ignore_errors=True)
        self._prune()

    def undo(self) -> None:
        """Remove the module, except for answers to exercises."""
        for child in self.folder.iterdir() if self.folder.exists() else ():
            if child.is_dir() and child.name != KEPT:
                shutil.rmtree(child)
        self._prune()

    def _prune(self) -> None:
        if not any(self.folder.rglob("*.go")):
            shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Cell:
    """One cell as a file.  file: in the module; line: what stands behind %%go; imports: of a cell without a package clause.

    The file has the cell's lines under the cell's own numbers: where the cell has its magic, the file has one line too.
    """

    file: str
    line: str
    body: str
    imports: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, line: str, body: str, *, imports: tuple[str, ...] = (), test: bool = False) -> Cell:
        """name: a package, whose main.go or test file this is, or a file of one.  Raises UsageError for other names."""
        if not _NAME.fullmatch(name) or (name.endswith(".go") and "/" not in name):
            raise UsageError(f"{name!r} names no file of a module", hint="like hello, internal/stock or stock/price.go")
        if imports and _PACKAGE.search(body):
            raise UsageError("a cell with a package clause has its imports below it", hint="leave out --import")
        if name.endswith(".go"):
            return cls(name, line, body, imports)
        return cls(f"{name}/{Path(name).name}_test.go" if test else f"{name}/main.go", line, body, imports)

    @property
    def package(self) -> str:
        """The package's folder in the module."""
        return self.file.rpartition("/")[0]

    @property
    def text(self) -> str:
        """The text of the file."""
        if _PACKAGE.search(self.body):
            return f"// %%go {self.line}\n{self.body}"
        paths = "; ".join(f'"{path}"' for path in self.imports)
        return f"package main{f'; import ({paths})' if paths else ''}\n{self.body}"
