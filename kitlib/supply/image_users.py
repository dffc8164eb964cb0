"""Which checkouts use an image: its name is a hash of its inputs, so that two checkouts with the same recipe share the image.

Each checkout notes the images it has used in the cache, which all checkouts of a user share.  A note is valid while the checkout
has a cluster.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock

from kitlib import paths
from kitlib.host import identity


def note(references: Iterable[str]) -> None:
    """Note that this checkout uses these images; stacks that are installed side by side do it at the same time."""
    file = _folder() / f"{identity.checkout()}.json"
    with FileLock(file.with_suffix(".lock")):
        before = _read(file)
        known = set(before.get("images", ()))
        if known.issuperset(references := set(references)) and before.get("home") == str(paths.state()):
            return
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps({"home": str(paths.state()), "images": sorted(known | references)}))
        partial.replace(file)


def users(reference: str) -> Iterator[Path]:
    """State folders of the other checkouts that use an image, and have a cluster."""
    for file in sorted(_folder().glob("*.json")):
        said = _read(file)
        home = Path(said.get("home", ""))
        if file.stem != identity.checkout() and reference in said.get("images", ()) and _lives(home, file.stem):
            yield home


def _lives(home: Path, checkout: str) -> bool:
    """Whether the state folder is still that checkout's, and has the record of a cluster."""
    try:
        same = (home / "checkout").read_text().strip() == checkout
    except OSError:
        return False
    return same and any(home.glob("clusters/*/owner.json"))


def _folder() -> Path:
    folder = paths.cache() / "checkouts"
    folder.mkdir(exist_ok=True)
    return folder


def _read(file: Path) -> dict[str, Any]:
    """The content of a note; {} when there is none, or it is incomplete."""
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
