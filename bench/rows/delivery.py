"""Rows 2 and 3: five images that the engine has are to be on the node; nothing changed, or one of them did.

The kit asks the registry for each tag, which says what is in it, pushes what is missing, and lets the node pull what it does not
have; pods would do that by themselves, here it is done at once, so that both sides end with the images on the node.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.rows.common import CTR, docker, forget_on_node, kind, seconds
from bench.rows.size import PROGRAM, file_content
from kitlib.cluster import bound as cluster
from kitlib.cluster import local_registry
from kitlib.cluster.bound import Cluster
from kitlib.dev.bench import Arm, Group, Row, Values
from kitlib.supply import builder, images

FIVE = ("goapp-alpine", "goapp-distroless", "goapp-scratch", "goapp-guide-2.2", "goapp-guide-2.3")
SETS = ("kit", "kind", "kit-1", "kind-1")
PREFIX = "bench.local"
CERTS = "/etc/containerd/certs.d"
NOTE = (
    "2: this node has no crictl, by which kind would find that nothing changed, so it copies; with Docker's containerd image store it "
    "copies on every node (kind#4236)."
)
Way = Callable[[Cluster, str], None]


@contextmanager
def group() -> Iterator[Group]:
    live = cluster.bind()
    found = builder.ensure(live.engine, FIVE)
    program = file_content(live.engine, found[FIVE[0]], PROGRAM)

    def arm(way: Way, set_: str, *, changed: bool) -> Arm:
        """set_: a tag of the arm's own, so that what one arm changes is not news for another."""
        for name, reference in found.items():
            docker("tag", reference, local(name, set_))

        def trial() -> Values:
            if changed:
                change(found[FIVE[0]], local(FIVE[0], set_), program)
            return {"seconds": seconds(way, live, set_)}

        return trial

    def row(id_: str, what: str, ours: str, peer: str) -> Row:
        return Row(id_, what, "kind load of the 5", "seconds", "s", 0.3, ours, (peer,))

    arms = {
        "ours": arm(deliver, "kit", changed=False),
        "kind load": arm(load, "kind", changed=False),
        "ours, 1 changed": arm(deliver, "kit-1", changed=True),
        "kind load, 1 changed": arm(load, "kind-1", changed=True),
    }
    rows = [
        row("2", "5 unchanged images to the node again", "ours", "kind load"),
        row("3", "5 images to the node, 1 of them changed", "ours, 1 changed", "kind load, 1 changed"),
    ]
    try:
        yield Group(arms, rows, notes=lambda _: "" if live.on_node("which", "crictl", check=False).strip() else NOTE)
    finally:
        _remove()


def local(name: str, set_: str) -> str:
    """What the engine calls it; not as the kit does, whose images stay out of this."""
    return f"{PREFIX}/{name}:{set_}"


def deliver(live: Cluster, set_: str) -> None:
    """A tag in the registry is the image's id, so that one that is there needs no push, and one that the node has no pull."""
    at = live.registry
    wanted = [_publish(live, at, name, local(name, set_)) for name in FIVE]
    here = live.on_node(*CTR, "ls", "-q").split()
    for reference in wanted:
        if reference not in here:
            live.on_node(*CTR, "pull", "--hosts-dir", CERTS, reference)


def _publish(live: Cluster, at: str, name: str, reference: str) -> str:
    mark = str((live.engine.inspect(reference) or {})["Id"]).removeprefix("sha256:")[:12]
    return local_registry.publish(live.engine, at, f"bench-{name}", reference=reference, tag=mark)


def load(live: Cluster, set_: str) -> None:
    kind("load", "docker-image", "--name", live.identity.cluster, *(local(name, set_) for name in FIVE))


def change(base: str, to: str, program: bytes) -> None:
    """Another program in an image, as after an edit: one layer of its size is new.  Not timed."""
    with TemporaryDirectory() as tmp:
        work = Path(tmp)
        (work / "catalog").write_bytes(program + secrets.token_bytes(1024))
        (work / "Dockerfile").write_text(f"FROM {base}\nCOPY catalog {PROGRAM}\n")
        docker("image", "rm", "--force", to)  # or each trial leaves a nameless image behind
        docker("build", "--quiet", "--tag", to, work)


def _remove() -> None:
    """The names, on both sides."""
    docker("image", "rm", "--force", *(local(name, set_) for name in FIVE for set_ in SETS))
    for prefix in (PREFIX, f"{images.PREFIX}/bench-"):
        forget_on_node(prefix)
