"""Nine abilities of a cluster, each tested by an action whose effect shows within a window or does not.

The window is a few seconds, longer where the machine is busy.  The API is called by curl on the node, which always ends in
time; a client with open connections would wait for them first.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.kube import wait
from kitlib.kube.client import Object
from kitlib.workloads import app

WINDOW = 4.0
NODE_WINDOW = 8.0  # for what ends with a container that runs
ASK_SECONDS = 2.0
QUIET = 0.3  # seconds that a request to the API server takes at most on an idle machine
PATIENCE = 5  # the largest factor for a busy machine
REQUESTS = 20
WEB = "web"
TREATMENTS = ("no-startup", "quick-exit", "small")
CURL = """
field() { awk "/$1/ {print \\$2}" /etc/kubernetes/admin.conf | base64 -d; }
curl -sf -m "$1" -X "$2" ${4:+-H "Content-Type: application/json" -d "$4"} --cacert /etc/kubernetes/pki/ca.crt \
  --cert <(field client-certificate-data) --key <(field client-key-data) "https://127.0.0.1:6443$3"
"""
# The API may be down and report nothing: the node asks the pod itself, as a probe does.
RESTART = """
pid=$(ctr -n k8s.io tasks list | awk -v id="$1" '$1 == id {print $2}')
kill -KILL "$pid" && tail -s 0.05 --pid="$pid" -f /dev/null
timeout "$3" sh -c "until curl -sf -m 1 -o /dev/null http://$2/health; do sleep 0.1; done" && echo again
"""


@dataclass(frozen=True)
class Scene:
    """A Service with three pods: one to stop, one to delete, and one that stays untouched.

    slow: the factor by which every wait is longer than on a quiet machine.
    """

    namespace: Namespace
    image: str
    service: str = ""
    pods: tuple[Object, ...] = ()
    slow: float = 1

    @property
    def stopped(self) -> Object:
        """The pod whose process `restart` kills on the node."""
        return self.pods[0]

    @property
    def deleted(self) -> Object:
        """The pod that `replace` deletes."""
        return self.pods[1]

    @property
    def cluster(self) -> Cluster:
        """The cluster of the namespace."""
        return self.namespace.cluster

    def api(self, method: str, path: str, body: Any = None) -> Object | None:
        """The answer to one request to the namespace, None when there is none in time, or an error."""
        whole = f"/api/v1/namespaces/{self.namespace.name}/{path}"
        sent, seconds = json.dumps(body) if body else "", f"{ASK_SECONDS * self.slow:.1f}"
        answer = self.cluster.on_node("bash", "-c", CURL, "ask", seconds, method, whole, sent, check=False)
        return json.loads(answer) if answer.startswith("{") else None

    def happens(
        self, kind: str, done: Callable[[Object], bool], *, name: str = "", labels: str = "", seconds: float = WINDOW
    ) -> bool:
        """Whether a watch shows it within the window.  For when the API answers."""
        watch = self.cluster.kube.watch(
            kind, self.namespace.name, name=name, labels=labels, seconds=seconds * self.slow
        )
        return any(change != "DELETED" and done(seen) for change, seen in watch)


def note(*, generated: bool = False) -> Object:
    """A small ConfigMap to create.  generated: the API server chooses the end of its name."""
    name = {"generateName": "note-"} if generated else {"name": "note"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": name, "data": {"text": "still here"}}


def read(scene: Scene) -> dict[str, float]:
    """An object as it is now."""
    return {"read": float(scene.api("GET", "configmaps/note") is not None)}


def read_old(scene: Scene) -> dict[str, float]:
    """An object as it may have been some time ago (resourceVersion=0): the API server has it in memory."""
    return {"read old": float(scene.api("GET", "configmaps/note?resourceVersion=0") is not None)}


def write(scene: Scene) -> dict[str, float]:
    """A new object."""
    return {"write": float(scene.api("POST", "configmaps", note(generated=True)) is not None)}


def serve(scene: Scene) -> dict[str, float]:
    """Requests through the Service's address, from the node, a new connection each."""
    url = f"http://{scene.service}/items"
    script = f"for i in $(seq {REQUESTS}); do curl -s -m 2 -o /dev/null -w '%{{http_code}} ' {url}; done"
    return {"serve": scene.cluster.on_node("sh", "-c", script, check=False).split().count("200") / REQUESTS}


def run(scene: Scene) -> dict[str, float]:
    """A new pod: is it given a node, and does it start there?"""
    pod = app.pod(f"new-{secrets.token_hex(3)}", scene.image, treatments=TREATMENTS)
    name = pod["metadata"]["name"]
    asked = scene.api("POST", "pods", pod) is not None
    scheduled = asked and scene.happens("Pod", lambda p: bool(p["spec"].get("nodeName")), name=name)
    started = scheduled and scene.happens("Pod", wait.phase("Running"), name=name, seconds=NODE_WINDOW)
    return {"schedule": float(scheduled), "start": float(started)}


def replace(scene: Scene) -> dict[str, float]:
    """A pod is deleted: is there another one, and is the old one taken out of the Service's endpoints?"""
    known = {p["metadata"]["name"] for p in scene.pods}
    name = scene.deleted["metadata"]["name"]
    if scene.api("DELETE", f"pods/{name}") is None:
        return {"replace": 0.0, "endpoints": 0.0}

    def another(pod: Object) -> bool:
        return pod["metadata"]["name"] not in known

    def rid_of_it(endpoints: Object) -> bool:
        return not any(
            e["targetRef"]["name"] == name and e["conditions"]["ready"] for e in endpoints["endpoints"] or []
        )

    with ThreadPoolExecutor() as pool:
        replaced = pool.submit(scene.happens, "Pod", another, labels=f"app.kubernetes.io/instance={WEB}")
        left = pool.submit(scene.happens, "EndpointSlice", rid_of_it, labels=f"kubernetes.io/service-name={WEB}")
        return {"replace": float(replaced.result()), "endpoints": float(left.result())}


def restart(scene: Scene) -> dict[str, float]:
    """A container's process is killed on the node: does it serve again?"""
    (status,) = scene.stopped["status"]["containerStatuses"]
    container, address = status["containerID"].rpartition("/")[2], f"{scene.stopped['status']['podIP']}:{app.PORT}"
    window = f"{NODE_WINDOW * scene.slow:.1f}"
    said = scene.cluster.on_node("bash", "-c", RESTART, "restart", container, address, window, check=False)
    return {"restart": float("again" in said)}


ALL = (read, read_old, write, run, replace, restart)
UNITS = dict.fromkeys(
    ("serve", "restart", "read", "read old", "write", "schedule", "start", "replace", "endpoints"), "0/1"
)


def slowness(scene: Scene) -> float:
    """How many times longer than a quiet machine this one takes for a request, while the cluster is healthy."""
    before = time.monotonic()
    scene.api("GET", "configmaps/note")
    return min(max(1.0, (time.monotonic() - before) / QUIET), PATIENCE)
