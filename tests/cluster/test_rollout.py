"""A Deployment's revisions, asked for at the very moment in which its template changes."""

from kitlib.cluster.bound import Cluster
from kitlib.workloads import app, rollout

CHANGES = 10


def test_a_change_is_a_revision_at_once(cluster: Cluster) -> None:
    """What was changed just now is the newest revision, and can be undone, before its controller was given any time."""
    namespace = cluster.namespace("rollout", fresh=True)
    namespace.apply(*app.manifests("billing", cluster.image("goapp-distroless"), replicas=0))
    undone = []
    for number in range(CHANGES):
        before = int(rollout.history(namespace, "billing")["revision"].max())
        rollout.set_image(namespace, "billing", f"never-pulled:{number}")
        undone.append(rollout.undo(namespace, "billing") == before)
    namespace.undo()

    assert undone == [True] * CHANGES
