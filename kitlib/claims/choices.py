"""The file of the learner's predictions: claim id -> the option that was chosen last.  predictions.py asks for them."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path

from kitlib import paths
from kitlib.errors import InputError
from kitlib.host import textfile


def chosen(claim_id: str) -> str | None:
    """The kept choice of a claim; None before there is one."""
    return load().get(claim_id)


def keep(claim_id: str, choice: str) -> None:
    """Keep a choice; the newest one of a claim counts.  The file is replaced as a whole."""
    partial = _file().with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps({**load(), claim_id: choice}, indent=1))
    partial.replace(_file())


def load() -> dict[str, str]:
    """All choices so far.  A damaged file is kept under another name, which a warning gives."""
    if not _file().exists():
        return {}
    try:
        found = json.loads(_file().read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return {key: kept for key, kept in found.items() if isinstance(kept, str)}
    except (ValueError, RecursionError):
        pass
    except OSError as e:
        raise InputError(f"{_file()} cannot be read: {textfile.reason(e)}", hint="move it away") from e
    aside = _file().with_suffix(".damaged")
    _file().replace(aside)
    warnings.warn(f"the file of predictions was damaged; it is kept as {aside}, and a new one begins", stacklevel=3)
    return {}


def _file() -> Path:
    return paths.state() / "predictions.json"
