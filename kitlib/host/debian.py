"""Packages of the machine's own Debian: only with the `packages` supply, and only as root."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from kitlib.errors import CommandFailed, SetupError
from kitlib.host import proc
from kitlib.host.console import step


def usable() -> str:
    """Empty when packages can be installed here, otherwise the reason why not."""
    if not Path("/etc/debian_version").exists():
        return "this is not a Debian machine"
    if os.geteuid() != 0:
        return "you are not root"
    return ""


def need(packages: Sequence[str], *, why: str) -> None:
    """Install the missing packages, and print which and why.  Raises SetupError when they cannot be installed."""
    missing = [p for p in packages if not _installed(p)]
    if not missing:
        return
    if reason := usable():
        raise SetupError(
            f"{why} needs the Debian packages {' '.join(missing)}, and {reason}",
            hint="install them, then run the same command again",
        )
    env = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    with step(f"installing Debian packages for {why}: {' '.join(missing)}") as line:
        try:
            proc.run(["apt-get", "update", "-q"], env=env, on_line=line)
            proc.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing], env=env, on_line=line)
        except CommandFailed as e:
            raise SetupError(
                "apt-get failed", observed=e.observed, hint="check the network and /etc/apt/sources.list"
            ) from e


def _installed(package: str) -> bool:
    return "install ok installed" in proc.run(["dpkg-query", "-W", "-f=${Status}", package], check=False)
