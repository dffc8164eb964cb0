"""A private registry: distribution, with TLS by an authority of its own and a password, beside the cluster's open one.

server.py    the container: created, found, removed
files.py     its configuration, and what its clients keep
client.py    its clients: crane and docker, each with a DOCKER_CONFIG of its own
keeper.py    a credential helper that keeps passwords in memory
tokens.py    bearer tokens, signed here
storage.py   its files on disk, and how they are removed
pulls.py     what a node needs to pull from it, and the state of a pod
signing.py   cosign: key pair, signature, and the gate that asks for one
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitlib import lazy
from kitlib.private_registry.server import Private, ensure, find, remove

__all__ = ["Private", "ensure", "find", "remove"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy.modules(__name__)
