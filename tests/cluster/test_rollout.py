"""A Deployment's revisions, asked for at the very moment in which its template changes."""

from kitlib import app, rollout
from kitlib.cluster import Cluster

CHANGES = 10


def test_a_change_is_a_revision_at_once(cluster: Cluster) -> None:
    """What was changed just now is the newest revision, and can be undone, before its controller was given any time."""
    space = cluster.space("rollout", fresh=True)
    space.apply(*app.manifests("billing", cluster.image("goapp-distroless"), replicas=0))
    undone = []
    for number in range(CHANGES):
        before = int(rollout.history(space, "billing")["revision"].max())
        rollout.set_image(space, "billing", f"never-pulled:{number}")
        undone.append(rollout.undo(space, "billing") == before)
    space.undo()

    assert undone == [True] * CHANGES
