"""Whose is it?  The record by which the kit knows its own cluster, and refuses every other one.

Before anything is created, an owner folder with a random name is made in the state folder; node containers mount it, everything else
carries its name as a label.  After creation the record gains the cluster's CA and the UID of kube-system.  A name proves nothing.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from kitlib import paths
from kitlib.errors import ClusterError, NotOurs, UsageError

LABEL = "local.kit.owner"


@dataclass(frozen=True)
class Owner:
    """What was recorded at creation.  ca: SHA-256 of the API server's CA certificate; empty until the cluster answered once.

    proved: the cluster has been seen to be ready in every respect since its nodes were last started.  profile: see nodes.py.
    """

    cluster: str
    mark: str
    created_at: str
    ca: str = ""
    kube_system: str = ""
    proved: bool = False
    profile: str = "one-node"

    @property
    def folder(self) -> Path:
        """Mounted by the node containers."""
        return home(self.cluster) / f"owner-{self.mark}"

    @property
    def labels(self) -> dict[str, str]:
        return {LABEL: self.mark, "local.kit.cluster": self.cluster}

    def noted(self, **known: str | bool) -> Owner:
        """The record with more known, saved."""
        more: Owner = replace(self, **known)  # type: ignore[arg-type]
        _save(more)
        return more


def cluster_name() -> str:
    """`kit`, or KIT_CLUSTER (lower-case letters, digits and dashes: kind's rule)."""
    name = os.environ.get("KIT_CLUSTER") or "kit"
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise UsageError(f"KIT_CLUSTER={name} is not a cluster name", hint="use lower-case letters, digits and dashes")
    return name


def home(name: str | None = None) -> Path:
    """State folder of one cluster."""
    folder = paths.state() / "clusters" / (name or cluster_name())
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def kubeconfig() -> Path:
    return home() / "kubeconfig"


def load() -> Owner | None:
    """The record of this checkout's cluster, None when there is none."""
    file = home() / "owner.json"
    try:
        return Owner(**json.loads(file.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as e:
        raise ClusterError(
            f"{file} is damaged: {e}",
            hint=f"if the cluster is yours: docker rm -f -v {cluster_name()}-control-plane, remove the file, ./kit up",
        ) from e


def create(profile: str = "one-node") -> Owner:
    """A new record, on disk before anything else exists."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    made = Owner(cluster_name(), secrets.token_hex(8), now, profile=profile)
    made.folder.mkdir()
    _save(made)
    return made


def forget(record: Owner) -> None:
    """Remove the record and all state of the cluster."""
    shutil.rmtree(home(record.cluster))


def foreign(what: str, name: str | None) -> NotOurs:
    """The error for something that has a name the kit needs and is not the kit's."""
    return NotOurs(
        f"a {what} called {name} exists and was not made by this checkout of the kit; it was left alone",
        hint=f"KIT_CLUSTER=another-name ./kit up; or remove it yourself: docker {what} rm -f {name}",
    )


def _save(record: Owner) -> None:
    """Atomic and durable: what this file says decides what may be deleted."""
    file = home(record.cluster) / "owner.json"
    partial = file.with_suffix(".partial")
    with partial.open("w") as f:
        json.dump(asdict(record), f, indent=1)
        f.flush()
        os.fsync(f.fileno())
    partial.replace(file)
