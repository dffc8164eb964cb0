"""Where things are: the checkout, its state folder, and the cache that checkouts share."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

ROOT = Path(__file__).resolve().parent.parent


def state() -> Path:
    """This checkout's state: kubeconfig, identity record, lock, logs.  `.kit/`, or KIT_HOME."""
    return _private(Path(os.environ.get("KIT_HOME") or ROOT / ".kit"))


def cache() -> Path:
    """What can be rebuilt and is shared by checkouts: built tools, Go's module and build caches.  KIT_CACHE overrides."""
    return _private(Path(os.environ.get("KIT_CACHE") or platformdirs.user_cache_dir("cloudnative-go-kit")))


def results() -> Path:
    """Where experiments append `<claim>.jsonl`.  `results/`, or KIT_RESULTS."""
    folder = Path(os.environ.get("KIT_RESULTS") or ROOT / "results")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _private(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
