"""Where files are: the checkout, its state folder, and the cache that checkouts share."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from kitlib.errors import InputError, KitError, SetupError

ROOT = Path(__file__).resolve().parent.parent
VARIABLES = ("KIT_HOME", "KIT_CACHE", "KIT_RESULTS", "KIT_WORK")


def state() -> Path:
    """This checkout's state: kubeconfig, identity record, lock, logs.  `.kit/`, or KIT_HOME.

    This and the other folders are created when they are missing.  InputError or SetupError says why one cannot be used.
    """
    return _made("KIT_HOME", _given("KIT_HOME") or ROOT / ".kit", mode=0o700)


def state_as_it_is() -> Path:
    """The state folder for commands that only read: it is not created, and it may be missing or read-only."""
    return _given("KIT_HOME") or ROOT / ".kit"


def cache() -> Path:
    """Files that can be rebuilt and that checkouts share: built tools, Go's module and build caches.  KIT_CACHE overrides."""
    return _made("KIT_CACHE", _given("KIT_CACHE") or _user_cache(), mode=0o700)


def results() -> Path:
    """The folder in which experiments append to `<claim>.jsonl`.  `results/`, or KIT_RESULTS."""
    return _made("KIT_RESULTS", _given("KIT_RESULTS") or ROOT / "results")


def work() -> Path:
    """The learner's own files, one folder per chapter.  `work/`, or KIT_WORK."""
    return _made("KIT_WORK", _given("KIT_WORK") or ROOT / "work")


def settle() -> None:
    """Make what the variables say absolute for this process and its children, which work in other folders.

    An error in one of them is reported where it is used.
    """
    for name in VARIABLES:
        with suppress(InputError):
            if (folder := _given(name)) is not None:
                os.environ[name] = str(folder)


def _given(name: str) -> Path | None:
    """The folder that a variable names: a ~ is the home folder, a relative path starts at the current one; None when it is empty."""
    value = os.environ.get(name, "")
    if not value.strip():
        return None
    try:
        return Path(value).expanduser().absolute()
    except (RuntimeError, OSError) as e:  # no such user, or the current folder is gone
        raise InputError(f"{name}={value!r} cannot be used: {e}", hint=f"set {name} to an absolute path") from e


def _user_cache() -> Path:
    import platformdirs

    folder = Path(platformdirs.user_cache_dir("cloudnative-go-kit"))
    if not folder.is_absolute():
        raise SetupError(f"there is no home folder to keep the cache in ({folder})", hint="set HOME, or KIT_CACHE")
    return folder


def _made(name: str, folder: Path, mode: int = 0o777) -> Path:
    text = str(folder)
    if not text.isprintable():
        raise _unusable(name, repr(text), "it has a line break or another character that cannot be printed")
    if os.pathsep in text:
        raise _unusable(name, text, f"a {os.pathsep} separates folders in PATH and in what containers mount")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
    except FileExistsError as e:
        raise _unusable(name, text, "it is a file") from e
    except OSError as e:
        raise _unusable(name, text, (e.strerror or str(e)).lower()) from e
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise _unusable(name, text, "it cannot be written to")
    return folder


def _unusable(name: str, folder: str, why: str) -> KitError:
    """A wrong variable is wrong input; a folder that the user did not choose is a fault of the machine."""
    shown = folder if len(folder) < 120 else f"{folder[:60]}…{folder[-30:]}"
    if os.environ.get(name, "").strip():
        return InputError(
            f"{name}={shown} cannot be used: {why}", hint=f"set {name} to a folder of your own, or unset it"
        )
    return SetupError(f"{shown} cannot be used: {why}", hint=f"correct that, or set {name} to a folder of your own")
