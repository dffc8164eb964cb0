"""`kit.files("3.2-deployment")`: the files that a chapter works with, in the learner's own folder."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from kitlib import paths
from kitlib.errors import InputError, UsageError, meant
from kitlib.host import yamlfile
from kitlib.kube.client import Object
from kitlib.learning import filetext, starters
from kitlib.learning.words import Shown, link


@dataclass(frozen=True)
class Files:
    """The files of a chapter.  It displays as a table of them."""

    folder: starters.Folder

    def path(self, name: str) -> Path:
        """Where a file of this folder is, or will be.  Raises InputError for a name that leads out of the folder."""
        return self.folder.place(name)

    def given(self, name: str) -> str:
        """The text of a starter file as the kit gives it, whatever is in yours.  Raises InputError for a name that is no starter."""
        starters = self.folder.starters()
        if name not in starters:
            raise InputError(f"{name!r} is no starter file", hint=meant(name, starters))
        return starters[name].read_text(encoding="utf-8")

    def show(self, name: str, notes: Mapping[str, str] | None = None) -> Shown:
        """A file, with notes beside its decisive lines.

        notes: what to say, by a key: it stands beside the first line that contains the key.  Raises UsageError for a key that is neither
        in the file nor in its starter; a line that the learner took out leaves its note below the file.
        """
        text = self.folder.read(name)
        places, left = _beside(text, notes or {})
        starter = self.folder.starters().get(name)
        known = starter.read_text(encoding="utf-8") if starter else text
        if unknown := [key for key in left if key not in known]:
            raise UsageError(f"no line of {name} contains {unknown[0]!r}", hint=f"!cat {shlex.quote(name)}")
        return filetext.listing(name, text, places, left)

    def diff(self, name: str, other: str | None = None) -> Shown:
        """What differs between two files, as `diff -u` shows it.  other: None is the file as it was given."""
        text = self.folder.read(name)
        if other is not None:
            return filetext.difference((name, other), (text, self.folder.read(other)))
        starter = self.folder.starters().get(name)
        if starter is None:
            raise InputError(f"{name!r} is no starter file", hint="files.diff(name, other) compares two files")
        return filetext.difference((f"{name} as given", name), (starter.read_text(encoding="utf-8"), text))

    def reset(self, name: str | None = None) -> Shown:
        """Bring a file, or all files, back to what the kit gives.  What you wrote is kept as `<name>.bak`."""
        names = list(self.folder.starters()) if name is None else [name]
        kept = {each: self.folder.reset(each) for each in names}
        lines = [
            f"{each} is as given{f'; yours is now {each}{starters.KEPT}' if own else ''}" for each, own in kept.items()
        ]
        return Shown("\n".join(lines), "<br>".join(map(escape, lines)))

    def manifests(self, name: str) -> list[Object]:
        """The Kubernetes objects of a YAML file; those of a List one by one.  Raises InputError, with the line, for wrong YAML."""
        documents = yamlfile.documents(self.folder.read(name), name, self.folder.back(name))
        return [_checked(item, name, self.folder.back(name)) for found in documents for item in _items(found)]

    def __repr__(self) -> str:
        rows = [f"  {name:24} {state}" for name, state in self.folder.states().items()]
        return "\n".join([f"{self.folder.path}:", *rows])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='text-align:left'>{_linked(self.folder.path / name)}</td>"
            f"<td style='text-align:left'>{state}</td></tr>"
            for name, state in self.folder.states().items()
        )
        where = f"<code>cd {escape(shlex.quote(str(self.folder.path)))}</code>"
        return (
            f"<table><thead><tr><th style='text-align:left'>file</th><th style='text-align:left'>state</th></tr></thead>"
            f"<tbody>{rows}</tbody></table><div>Commands of this notebook run in this folder; in a terminal: {where}</div>"
        )


def files(chapter: str) -> Files:
    """Your files of a chapter, such as "3.2-deployment": copied on first use into `work/<chapter>/`, and never overwritten.

    In a notebook, that folder becomes the working folder, so that `!kubectl apply -f deployment.yaml` finds the file.
    Raises UsageError with the names that come close for a chapter without files.
    """
    found = starters.folder(chapter)
    found.lay_out()
    if _in_notebook():
        paths.settle()  # a relative KIT_RESULTS means the folder in which the kernel was started
        os.chdir(found.path)
    return Files(found)


def _in_notebook() -> bool:
    return "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None


def _beside(text: str, notes: Mapping[str, str]) -> tuple[dict[int, str], dict[str, str]]:
    """Notes by the index of the first line that contains their key, and those whose key is in no line."""
    lines, places, left = text.splitlines(), dict[int, str](), dict[str, str]()
    for key, note in notes.items():
        at = next((i for i, line in enumerate(lines) if key in line), None)
        if at is None:
            left[key] = note
        else:
            places[at] = f"{places[at]}; {note}" if at in places else note
    return places, left


def _checked(document: object, name: str, hint: str) -> Object:
    """The document, when it is an object of Kubernetes."""
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        raise InputError(f"{name}: each document is an object with a kind", hint=hint)
    return document


def _items(document: object) -> list[object]:
    if isinstance(document, dict) and document.get("kind") == "List" and isinstance(document.get("items"), list):
        return list(document["items"])
    return [document]


def _linked(file: Path) -> str:
    """The name as a link that opens the file in JupyterLab, whose notebooks lie in the checkout."""
    if not file.is_relative_to(paths.ROOT):
        return f"<code>{escape(file.name)}</code>"
    return link(f"`{file.name}`", os.path.relpath(file, paths.ROOT / "notebooks"))
