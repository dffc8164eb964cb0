"""Wrong answers to the exercises of 0-start."""

from kitlib.cluster.bound import Cluster
from kitlib.exercises import start
from kitlib.workloads import app


def _one_replica(cluster: Cluster) -> None:
    cluster.namespace(start.SPACE).apply(*app.manifests("hello", cluster.image("goapp-distroless"), replicas=1))


def _no_such_image(cluster: Cluster) -> None:
    cluster.namespace(start.SPACE).apply(*app.manifests("hello", "kit.local/no-such-image:1", replicas=start.WANTED))


WRONG = {"0-start/hello": (_one_replica, _no_such_image)}
