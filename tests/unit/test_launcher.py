"""The launcher `kit`: run by /bin/sh in a copy of the checkout, with a PATH that holds nothing but what it needs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kitlib.paths import ROOT

NEEDS = ("awk", "cat", "cmp", "dirname", "rm", "tail")
NOBODY = 65534

OLD = """\
case $1 in --version) echo Python 3.8.1 ;; *) exit 1 ;; esac
"""
WITHOUT_VENV = """\
case $* in *venv*) exit 1 ;; esac
"""
# What a virtual environment looks like to the launcher: each call is a line in the record; `uv` fails while .venv/broken exists.
RECORDING = """\
echo "${0##*/} $*" >> "${0%/*}/../calls"
[ "${0##*/}" = python ] || [ ! -e "${0%/*}/../broken" ]
"""


@dataclass(frozen=True)
class Checkout:
    folder: Path
    path: Path

    @property
    def venv(self) -> Path:
        return self.folder / ".venv"

    def kit(self, *words: str, user: int | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        """The environment is the launcher's alone: no proxy, index or Python of the machine's user."""
        return subprocess.run(
            ["/bin/sh", self.folder / "kit", *words],
            env={"PATH": str(self.path), "HOME": str(self.path), **env},
            cwd="/",
            user=user,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def calls(self) -> list[str]:
        """The calls into the virtual environment since the last look."""
        record = self.venv / "calls"
        lines = record.read_text().splitlines() if record.exists() else []
        record.unlink(missing_ok=True)
        return lines

    def installed(self) -> Checkout:
        """With a recording virtual environment, and the stamp that the launcher itself has left."""
        script(self.venv / "bin" / "python", RECORDING)
        script(self.venv / "bin" / "uv", RECORDING)
        assert self.kit().returncode == 0
        self.calls()
        return self


def script(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}")
    file.chmod(0o755)


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    """Outside pytest's own folder, which other users cannot enter."""
    with tempfile.TemporaryDirectory() as made:
        top = Path(made).resolve()
        top.chmod(0o755)
        folder, path = top / "checkout", top / "bin"
        folder.mkdir()
        path.mkdir()
        for name in ("kit", "pyproject.toml", "requirements.lock"):
            shutil.copy(ROOT / name, folder)
        for name in NEEDS:
            found = shutil.which(name)
            assert found
            (path / name).symlink_to(found)
        yield Checkout(folder, path)


def test_no_python(checkout: Checkout) -> None:
    """Without Python the launcher says so, says what to do, and makes nothing."""
    ended = checkout.kit("up")

    assert ended.returncode == 1
    assert ended.stderr == "kit: Python is not installed\nnext: install Python 3.11 or newer\n"
    assert not checkout.venv.exists()


def test_old_python(checkout: Checkout) -> None:
    """A Python that is too old is named with its version and the one needed."""
    script(checkout.path / "python3", OLD)
    ended = checkout.kit("up")

    assert ended.returncode == 1
    assert ended.stderr == (
        "kit: python3 is Python 3.8.1, and the kit needs 3.11 or newer\n"
        "next: install Python 3.11 or newer, or set KIT_PYTHON\n"
    )
    assert not checkout.venv.exists()


def test_newer_python_beside_an_old_one(checkout: Checkout) -> None:
    """An old python3 does not hide a newer Python of another name."""
    script(checkout.path / "python3", OLD)
    script(checkout.path / "python3.12", WITHOUT_VENV)
    ended = checkout.kit("up")

    assert ended.stderr.startswith("kit: python3.12 has no venv module\n")


def test_no_venv_module(checkout: Checkout) -> None:
    """A Python without venv, as Debian ships it, is answered with the package to install."""
    script(checkout.path / "python3", WITHOUT_VENV)
    ended = checkout.kit("up")

    assert ended.returncode == 1
    assert ended.stderr == (
        "kit: python3 has no venv module\nnext: install it (on Debian: apt-get install python3-venv)\n"
    )
    assert not checkout.venv.exists()


def test_read_only_checkout(checkout: Checkout) -> None:
    """In a folder that cannot be written to, the launcher says so before it looks for anything else."""
    checkout.folder.chmod(0o555)
    ended = checkout.kit("up", user=NOBODY if os.geteuid() == 0 else None)
    checkout.folder.chmod(0o755)

    assert ended.returncode == 1
    assert ended.stderr == (
        f"kit: {checkout.folder} cannot be written to\nnext: clone the kit to a folder of your own\n"
    )


def test_no_network(checkout: Checkout) -> None:
    """When the package index cannot be reached the launcher gives up, with pip's reason, the log and what to check."""
    unreachable = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    ended = checkout.kit("up", user=None, KIT_PYTHON=str(base), **unreachable)
    log = checkout.venv / "install.log"

    assert ended.returncode == 1
    assert log.read_text().splitlines()[-1] in ended.stderr
    assert f"could not be installed (log: {log})\nnext: check the network" in ended.stderr
    assert "uv==" in log.read_text()


def test_first_run_installs_what_the_lock_says(checkout: Checkout) -> None:
    """A first run installs uv by pip and the rest by uv, all with hashes, and then runs the command."""
    script(checkout.path / "python3", "")
    script(checkout.venv / "bin" / "python", RECORDING)
    script(checkout.venv / "bin" / "uv", RECORDING)
    ended = checkout.kit("run", "2.3")
    calls = checkout.calls()

    assert ended.returncode == 0
    assert [call for call in calls if "install" in call and "--require-hashes" not in call] == [calls[3]]
    assert calls[1].startswith("python -m pip install ")
    assert calls[2].startswith("uv pip sync ") and calls[2].endswith(
        f"--require-hashes {checkout.folder}/requirements.lock"
    )
    assert calls[3].startswith("uv pip install ") and "--no-deps" in calls[3]
    assert calls[4:] == ["python -m kitlib run 2.3"]


def test_only_uv_is_installed_by_pip(checkout: Checkout) -> None:
    """What pip gets is the lock's pin of uv with its hashes, and nothing else."""
    script(checkout.path / "python3", "")
    checkout.installed()
    got = (checkout.venv / "uv.lock").read_text()
    pin = re.search(r"^uv==.*\n(?: +--hash=.*\n)+", (ROOT / "requirements.lock").read_text(), re.MULTILINE)

    assert pin
    assert got == pin[0]


def test_second_run_adds_nothing(checkout: Checkout) -> None:
    """When everything is installed the launcher only runs the command, needing no Python but the environment's."""
    script(checkout.path / "python3", "")
    checkout.installed()
    (checkout.path / "python3").unlink()
    ended = checkout.kit("run", "2.3")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert checkout.calls() == ["python -m kitlib run 2.3"]


@pytest.mark.parametrize("file", ["requirements.lock", "pyproject.toml"])
def test_change_of_pins_installs_again(checkout: Checkout, file: str) -> None:
    """A lock or a package description that is new is installed before the command runs."""
    script(checkout.path / "python3", "")
    checkout.installed()
    with (checkout.folder / file).open("a") as f:
        f.write("# changed\n")
    checkout.kit("status")
    calls = checkout.calls()

    assert [c for c in calls if c.startswith("uv pip sync")] != []
    assert calls[-1] == "python -m kitlib status"


def test_moved_checkout_installs_again(checkout: Checkout) -> None:
    """An environment that was made in another place is not used as it is: it points to the old one."""
    script(checkout.path / "python3", "")
    checkout.installed()
    moved = Checkout(checkout.folder.rename(checkout.folder.with_name("moved")), checkout.path)
    moved.kit("status")

    assert any(c.startswith("uv pip sync") for c in moved.calls())


def test_failed_installation_is_not_taken_for_done(checkout: Checkout) -> None:
    """After an installation that failed nothing runs on half an environment, not even when the old pins are back."""
    script(checkout.path / "python3", "")
    checkout.installed()
    (checkout.venv / "broken").touch()
    lock = checkout.folder / "requirements.lock"
    pins = lock.read_text()
    lock.write_text(f"{pins}# changed\n")
    failed = checkout.kit("status")
    first = checkout.calls()
    (checkout.venv / "broken").unlink()
    lock.write_text(pins)
    ended = checkout.kit("status")

    assert (failed.returncode, ended.returncode) == (1, 0)
    assert "python -m kitlib status" not in first
    assert any(c.startswith("uv pip sync") for c in checkout.calls())


def test_removed_python_installs_again(checkout: Checkout) -> None:
    """An environment whose Python is gone, for instance after an upgrade of the system, is made again."""
    script(checkout.path / "python3", "")
    checkout.installed()
    (checkout.venv / "bin" / "python").unlink()
    (checkout.path / "python3").unlink()
    ended = checkout.kit("status")

    assert ended.stderr == "kit: Python is not installed\nnext: install Python 3.11 or newer\n"


def test_words_and_exit_code_are_the_commands(checkout: Checkout) -> None:
    """The command gets its words as they were written, and the launcher ends as the command does."""
    script(checkout.path / "python3", "")
    checkout.installed()
    script(checkout.venv / "bin" / "python", "printf '%s\\n' \"$@\"\nexit 7\n")
    ended = checkout.kit("run", "-p", "a=b  c", "")

    assert ended.returncode == 7
    assert ended.stdout.splitlines() == ["-m", "kitlib", "run", "-p", "a=b  c", ""]
