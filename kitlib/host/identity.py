"""The record by which the kit recognises its own cluster, and refuses every other one.

Before anything is created, an owner folder with a random name is made in the state folder; node containers mount it, everything else
carries its name as a label.  After creation the record gains the cluster's CA and the UID of kube-system.  A name proves nothing.
The record outlives its cluster only by mistake; `checkout` is the name of the state folder itself, which images carry as a label.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import MISSING, asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kitlib import paths
from kitlib.errors import ClusterError, InputError, NotOurs
from kitlib.host import textfile

LABEL = "local.kit.owner"
PROFILES = {"one-node": 0, "two-node": 1}  # workers beside the control plane
LONGEST = 63 - len("-control-plane")  # of a cluster's name: the name of a node is a label's value, and a host's name


@dataclass(frozen=True)
class Identity:
    """The record of a cluster.  ca: SHA-256 of the API server's CA certificate; empty until the cluster answered once.

    proved: the cluster has been seen to be ready in every respect since its nodes were last started.  profile: one of PROFILES.
    engine, host: the ID of the container engine that has the cluster, and the address at which it was last reached; empty in records
    of older versions.
    """

    cluster: str
    mark: str
    created_at: str
    ca: str = ""
    kube_system: str = ""
    proved: bool = False
    profile: str = "one-node"
    engine: str = ""
    host: str = ""

    def __repr__(self) -> str:
        return f"Identity of cluster {self.cluster}, created {self.created_at}"

    @property
    def folder(self) -> Path:
        """Mounted by the node containers."""
        return home(self.cluster) / f"owner-{self.mark}"

    @property
    def control_plane(self) -> str:
        """kind's name for the node with the control plane."""
        return f"{self.cluster}-control-plane"

    @property
    def nodes(self) -> tuple[str, ...]:
        """kind's names for the nodes, the control plane's first."""
        return (self.control_plane, *(f"{self.cluster}-worker" for _ in range(PROFILES[self.profile])))

    @property
    def labels(self) -> dict[str, str]:
        """The labels by which everything that this cluster owns is found."""
        return {LABEL: self.mark, "local.kit.cluster": self.cluster}

    def noted(self, **known: str | bool) -> Identity:
        """The record with these fields changed, saved."""
        more: Identity = replace(self, **known)  # type: ignore[arg-type]
        _save(more)
        return more


def cluster_name() -> str:
    """`kit`, or KIT_CLUSTER: lower-case letters, digits and dashes, which is kind's rule; at most LONGEST of them."""
    name = os.environ.get("KIT_CLUSTER") or "kit"
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        shown = textfile.one_line(name if len(name) < 80 else f"{name[:80]}…")
        raise InputError(f"KIT_CLUSTER={shown} is not a cluster name", hint="use lower-case letters, digits and dashes")
    if len(name) > LONGEST:
        raise InputError(
            f"KIT_CLUSTER={name[:80]} is not a cluster name: it has {len(name)} characters, and {LONGEST} fit a node's name",
            hint="choose a shorter one",
        )
    return name


def home(name: str | None = None) -> Path:
    """State folder of one cluster."""
    folder = paths.state() / "clusters" / (name or cluster_name())
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def kubeconfig() -> Path:
    """The kubeconfig of this checkout's cluster, whether or not the file exists."""
    return home() / "kubeconfig"


def load() -> Identity | None:
    """The record of this checkout's cluster, None when there is none.  Raises ClusterError for one that cannot be used."""
    file = home() / "owner.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as e:
        why = textfile.reason(e) if isinstance(e, OSError) else textfile.one_line(str(e))
        raise _damaged(file, why) from e
    if why := _misfit(found):
        raise _damaged(file, why)
    return Identity(**found)


def _misfit(found: object) -> str:
    """What is wrong with a record; empty for a valid one."""
    if not isinstance(found, dict):
        return "it is no record"
    known = {f.name: f for f in fields(Identity)}
    if unknown := sorted(found.keys() - known.keys()):
        return f"a newer version of the kit may have written it ({unknown[0]} is unknown)"
    for name, of in known.items():
        if name not in found and of.default is MISSING:
            return f"{name} is missing"
        if not isinstance(found.get(name, of.default), bool if name == "proved" else str):
            return f"{name} is {found[name]!r}"
    if not re.fullmatch(r"[0-9a-f]{16}", found["mark"]):
        return f"the mark is {found['mark']!r}"
    if found["cluster"] != cluster_name():
        return f"it is the record of the cluster {found['cluster']!r}"
    profile = found.get("profile", "one-node")
    return "" if profile in PROFILES else f"the profile is {profile!r}"


def _damaged(file: Path, why: str) -> ClusterError:
    return ClusterError(
        f"{file} is damaged: {why}",
        hint=f"if the cluster is yours: docker rm -f -v {cluster_name()}-control-plane, remove the file, ./kit up",
    )


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Turn any error of a kubeconfig into a ClusterError with the next step.  The record still identifies the cluster."""
    import yaml

    try:
        yield
    except ClusterError as e:
        raise ClusterError(e.message, hint=_again(file)) from e
    except OSError as e:
        raise _unreadable(file, textfile.reason(e)) from e
    except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, StopIteration) as e:
        raise _unreadable(file, "it is damaged") from e


def _unreadable(file: Path, why: str) -> ClusterError:
    return ClusterError(f"{file} cannot be used: {why}", hint=_again(file))


def _again(file: Path) -> str:
    """`up` has the node write a kubeconfig that is missing."""
    return f"rm -f '{file}' && ./kit up"


def checkout() -> str:
    """The label value of images made from this state folder: a random name, made once, by one of the threads that ask for it."""
    from filelock import FileLock  # `./kit status` does without it

    file = paths.state() / "checkout"
    with FileLock(file.with_suffix(".lock")):
        with suppress(FileNotFoundError):
            if name := file.read_text().strip():
                return name
        partial = file.with_suffix(".partial")
        partial.write_text(made := secrets.token_hex(8))
        partial.replace(file)  # never empty: images without a name would be those of every checkout
    return made


def create(profile: str = "one-node", *, engine: str = "", host: str = "") -> Identity:
    """A new record, on disk before anything else exists."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    made = Identity(cluster_name(), secrets.token_hex(8), now, profile=profile, engine=engine, host=host)
    made.folder.mkdir()
    _save(made)
    return made


def forget(record: Identity) -> None:
    """Remove the record and all state of the cluster."""
    shutil.rmtree(home(record.cluster))


def is_mine(container: Any, record: Identity | None) -> bool:
    """Registries carry the mark as a label; nodes, to which kind gives no labels of ours, mount the owner folder."""
    if record is None:
        return False
    mounts = {m.get("Source") for m in container.attrs.get("Mounts", [])}
    return container.labels.get(LABEL) == record.mark or str(record.folder) in mounts


def foreign(what: str, name: str | None, command: str = "up") -> NotOurs:
    """The error for an object that has a name the kit needs and that the kit did not make.  command: the kit's, which was refused."""
    other = "KIT_CLUSTER=another-name ./kit up" if command == "up" else "./kit down in the checkout that made it"
    return NotOurs(
        f"a {what} called {name} exists and was not made by this checkout of the kit; it was left alone",
        hint=f"{other}; or remove it yourself: docker {what} rm -f {name}",
    )


def _save(record: Identity) -> None:
    """Atomic and durable: what this file says decides what may be deleted."""
    file = home(record.cluster) / "owner.json"
    partial = file.with_suffix(".partial")
    with partial.open("w") as f:
        json.dump(asdict(record), f, indent=1)
        f.flush()
        os.fsync(f.fileno())
    partial.replace(file)
