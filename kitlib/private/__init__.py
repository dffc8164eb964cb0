"""A private registry: distribution, with TLS by an authority of its own and a password, beside the cluster's open one.

server.py    the container: made, found, taken away
files.py     its configuration, and what its clients keep
client.py    who talks to it: crane and docker, each with a DOCKER_CONFIG of its own
keeper.py    a credential helper that keeps passwords in memory
tokens.py    bearer tokens, signed here
storage.py   what it has on disk, and how it gets rid of it
nodes.py     what a node needs to pull from it, and what becomes of a pod
signing.py   cosign: key pair, signature, and the gate that asks for one
"""

from __future__ import annotations

from kitlib.private.server import Private, ensure, find, remove

__all__ = ["Private", "ensure", "find", "remove"]
