"""Plugins of the docker command line, in a DOCKER_CONFIG of the kit's own; the user's is neither read nor written."""

from __future__ import annotations

from pathlib import Path

from kitlib.engine import endpoint
from kitlib.host import tools


def client_configuration() -> Path:
    """The kit's DOCKER_CONFIG, with buildx as a plugin."""
    return add("docker-buildx", tools.buildx())


def add(name: str, program: Path) -> Path:
    """Make a program a plugin; returns the kit's DOCKER_CONFIG."""
    folder = endpoint.own_folder()
    plugin = folder / "cli-plugins" / name
    plugin.parent.mkdir(parents=True, exist_ok=True)
    if not (plugin.is_symlink() and plugin.readlink() == program):
        plugin.unlink(missing_ok=True)
        plugin.symlink_to(program)
    return folder
