"""The launcher `kit`: run by /bin/sh in a copy of the checkout, with a PATH that holds nothing but what it needs."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
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


def test_chosen_python_that_is_none(checkout: Checkout) -> None:
    """A KIT_PYTHON that is missing, not new enough or no Python is refused as wrong input: no other one is used in its place."""
    script(checkout.path / "python3", WITHOUT_VENV)
    script(checkout.path / "old", OLD)
    script(checkout.path / "other", "exit 3\n")
    for name in ("old", "other", "nothing", "/", str(checkout.folder)):
        ended = checkout.kit("up", KIT_PYTHON=name)

        assert ended.returncode == 2
        assert ended.stderr == (
            f"kit: KIT_PYTHON={name} is not Python 3.11 or newer\nnext: set KIT_PYTHON to one that is, or unset it\n"
        )
    assert not checkout.venv.exists()


def test_chosen_python_with_a_space(checkout: Checkout) -> None:
    """KIT_PYTHON is one program, also with a space in its path."""
    script(checkout.path / "my python" / "python3", WITHOUT_VENV)
    ended = checkout.kit("up", KIT_PYTHON=f"{checkout.path}/my python/python3")

    assert ended.stderr.startswith(f"kit: {checkout.path}/my python/python3 has no venv module\n")


@pytest.mark.parametrize("words", [["--help"], ["run", "-h"]], ids=" ".join)
def test_help_needs_no_set_up(checkout: Checkout, words: list[str]) -> None:
    """Where nothing is installed yet, help is given by any Python that is new enough, and nothing is made."""
    shutil.copytree(ROOT / "kitlib", checkout.folder / "kitlib", ignore=shutil.ignore_patterns("__pycache__"))
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    before = sorted(checkout.folder.rglob("*"))
    ended = checkout.kit(*words, KIT_PYTHON=str(base))

    assert ended.returncode == 0
    assert ended.stdout.startswith("usage: kit")
    assert sorted(checkout.folder.rglob("*")) == before


def test_interrupted_installation_is_done_again(checkout: Checkout) -> None:
    """An environment whose installation was killed has no stamp: the next command installs before it runs."""
    script(checkout.path / "python3", "")
    checkout.installed()
    (checkout.venv / ".kit-installed").unlink()
    ended = checkout.kit("status")
    calls = checkout.calls()

    assert ended.returncode == 0
    assert any(c.startswith("uv pip sync") for c in calls)
    assert calls[-1] == "python -m kitlib status"


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


# An environment that notes the arguments of pip and uv; its name is the command's.
TOLD = """\
env > "${0%/*}/../told-${0##*/}"
"""
PIP_CONF = """\
[global]
index-url = https://me:it's@mirror.example/simple
extra-index-url =
    https://one.example/simple
    https://two.example/simple
trusted-host = mirror.example
timeout = 7
[install]
user = true
find-links = /wheels/a /wheels/b
"""


@pytest.fixture
def told(checkout: Checkout) -> Callable[..., dict[str, dict[str, str]]]:
    """What `pip install` and `uv` have in their environments, where the machine's pip is a real one."""

    def run(**env: str) -> dict[str, dict[str, str]]:
        script(checkout.path / "python3", f'[ "$2" != pip ] || exec {sys.executable} "$@"\n')
        for name in ("python", "uv"):
            script(checkout.venv / "bin" / name, TOLD)
        (checkout.path / "env").symlink_to(shutil.which("env") or "env")
        ended = checkout.kit("status", user=None, **env)
        assert ended.returncode == 0, ended.stderr
        lines = {name: (checkout.venv / f"told-{name}").read_text().splitlines() for name in ("python", "uv")}
        return {name: dict(line.partition("=")[::2] for line in found) for name, found in lines.items()}

    return run


def test_a_mirror_of_pip_is_uvs_too(told: Callable[..., dict[str, dict[str, str]]], checkout: Checkout) -> None:
    """Every setting of pip.conf for the source of packages is passed to uv in uv's form."""
    conf = checkout.path / "pip.conf"
    conf.write_text(PIP_CONF)
    uv = told(PIP_CONFIG_FILE=str(conf))["uv"]

    assert uv["UV_DEFAULT_INDEX"] == "https://me:it's@mirror.example/simple"
    assert uv["UV_INDEX"] == "https://one.example/simple https://two.example/simple"
    assert uv["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert uv["UV_FIND_LINKS"] == "/wheels/a,/wheels/b"
    assert uv["UV_INSECURE_HOST"] == "mirror.example"
    assert uv["UV_HTTP_TIMEOUT"] == "7"
    assert (uv["PIP_INDEX_URL"], uv["PIP_CONFIG_FILE"]) == (uv["UV_DEFAULT_INDEX"], os.devnull)


def test_variables_of_pip_win_over_its_files(
    told: Callable[..., dict[str, dict[str, str]]], checkout: Checkout
) -> None:
    """PIP_INDEX_URL is the mirror, whatever pip.conf says; uv's own settings win over both."""
    conf = checkout.path / "pip.conf"
    conf.write_text(PIP_CONF)
    uv = told(PIP_CONFIG_FILE=str(conf), PIP_INDEX_URL="https://nearer.example/", UV_HTTP_TIMEOUT="9")["uv"]

    assert (uv["UV_DEFAULT_INDEX"], uv["UV_HTTP_TIMEOUT"]) == ("https://nearer.example/", "9")


@pytest.mark.parametrize(
    "name",
    [
        "PIP_USER",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_ROOT",
        "PIP_CONSTRAINT",
        "PIP_NO_DEPS",
        "UV_SYSTEM_PYTHON",
        "UV_TARGET",
    ],
)
def test_packages_go_into_the_environment(told: Callable[..., dict[str, dict[str, str]]], name: str) -> None:
    """What would have pip or uv put packages elsewhere, or take others, reaches neither."""
    seen = told(**dict.fromkeys([name], "1"))

    assert name not in seen["uv"]


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONOPTIMIZE", "PYTHONWARNINGS"])
def test_another_pythons_settings_do_not_count(checkout: Checkout, name: str) -> None:
    """The command runs without the settings for another Python."""
    script(checkout.path / "python3", "")
    checkout.installed()
    script(checkout.venv / "bin" / "python", f'echo "<${{{name}-}}>"\n')
    ended = checkout.kit("status", user=None, **{name: "/elsewhere"})

    assert ended.stdout == "<>\n"


def test_a_broken_pip_conf(checkout: Checkout) -> None:
    """A configuration that pip cannot read is not taken for none: the default index may be out of reach, or not wanted."""
    script(checkout.path / "python3", "exit 1\n")
    script(checkout.path / "python3.11", '[ "$2" != pip ]\n')
    script(checkout.venv / "bin" / "python", '[ "$3" != config ]\n')
    ended = checkout.kit("status")

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[1] == "kit: pip does not understand its own configuration"


def test_modes_of_the_environment_do_not_depend_on_the_umask(checkout: Checkout) -> None:
    """Files that the installation writes are readable for all, as images are made of some of them."""
    script(checkout.path / "python3", "")
    script(checkout.venv / "bin" / "python", RECORDING)
    script(checkout.venv / "bin" / "uv", RECORDING)
    before = os.umask(0o077)
    try:
        checkout.kit("status")
    finally:
        os.umask(before)

    assert stat.S_IMODE((checkout.venv / "install.log").stat().st_mode) == 0o644
