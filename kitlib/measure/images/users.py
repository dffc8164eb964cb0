"""What can a process do in one and the same image, as root and as another user; and does the cluster let it in?"""

from __future__ import annotations

from kitlib.claims.levels import takes
from kitlib.cluster.bound import Namespace
from kitlib.engine.client import Engine
from kitlib.errors import ApiError
from kitlib.host import console
from kitlib.kube import wait
from kitlib.kube.client import Object
from kitlib.workloads import builds

USERS = {"root": 0, "non-root": 65532}
TRIES = {  # metric: a shell command that succeeds or does not
    "writes": "touch /etc/written",
    "replaces": "cp /bin/busybox /bin/replaced",
    "reads": "cat /secret",
    "gives away": "chown nobody /secret",
    "binds": "nc -l -p 80 & sleep 0.3; kill $!",  # a program that may not bind has ended by then, and cannot be killed
}
DOCKERFILE = "ARG ALPINE\nFROM ${ALPINE}\nRUN echo key > /secret && chmod 600 /secret\n"
ENFORCE = {"pod-security.kubernetes.io/enforce": "restricted"}
FORBIDDEN = 403
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@takes(dict.fromkeys(TRIES, "0/1"), user=USERS)
def abilities(engine: Engine, made: str, user: str) -> dict[str, float]:
    """For each of TRIES whether this user can do it, in a container with the capabilities that the engine gives by default."""
    with console.quiet():
        reference = builds.build(engine, DOCKERFILE, f"{made}:users")
    return {name: float(_succeeds(engine, made, reference, user, command)) for name, command in TRIES.items()}


def _succeeds(engine: Engine, made: str, reference: str, user: str, command: str) -> bool:
    argv = ["sh", "-c", command]
    container = builds.start(engine, made, reference, argv, user=str(USERS[user]), network_mode="none")
    try:
        return bool(container.wait(timeout=60)["StatusCode"] == 0)
    finally:
        container.remove(force=True, v=True)


@takes(user=USERS)
def pod(user: str, image: str) -> Object:
    """A pod with all that Pod Security `restricted` asks for, except that it runs as this user."""
    who = {"runAsUser": USERS[user], "runAsNonRoot": USERS[user] != 0}
    container = {"name": "goapp", "image": image, "securityContext": RESTRICTED | who}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": user},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    }


@takes({"runs": "0/1"}, user=USERS)
def admission(namespace: Namespace, user: str, image: str) -> dict[str, float]:
    """`admitted`: whether the API server takes such a pod here; `runs`: whether it then gets ready.  The pod is removed afterwards."""
    kube = namespace.cluster.kube
    try:
        (ref,) = namespace.apply(pod(user, image))
    except ApiError as e:
        if e.status != FORBIDDEN:
            raise
        return {"admitted": 0.0, "runs": 0.0}
    try:
        wait.until(kube, "Pod", ref.name, namespace.name, done=wait.condition("Ready"), what="ready")
    finally:
        kube.delete(ref)
        wait.until(kube, "Pod", ref.name, namespace.name, done=wait.gone, what="gone")
    return {"admitted": 1.0, "runs": 1.0}


def restrict(namespace: Namespace) -> None:
    """Have the namespace refuse every pod that Pod Security calls anything but `restricted`."""
    namespace.cluster.kube.patch("Namespace", namespace.name, "", {"metadata": {"labels": ENFORCE}})
