"""Delve beside a running pod: an ephemeral container that shares the processes of the one under study, as `kubectl debug` adds it."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import websocket

from kitlib.cluster.bound import Namespace
from kitlib.debug import session
from kitlib.debug.asked import Asked
from kitlib.errors import ApiError, DebugError
from kitlib.kube import forward, wait
from kitlib.kube.client import Object

IMAGE, PORT = "delve", 40000
LISTENS = "API server listening"
SECONDS = 60.0
# Pod Security `restricted` lets this through: to trace a process of the same user takes no capability.
SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@contextmanager
def attached(namespace: Namespace, pod: str, target: str, *, pid: int = 1) -> Iterator[session.Session]:
    """A debugger attached to a process of a pod's container while the block runs; the program goes on afterwards, and Delve ends.

    target: the container's name; its program has to have its debug information.  pid: in that container.  No port is opened on this
    machine: the way leads through the API server.  Raises ApiError when the pod may not have it, DebugError with Delve's reason.
    """
    name = add(namespace, pod, target, pid=pid)
    with connected(namespace, pod, container=name) as debugger:
        yield debugger


@contextmanager
def connected(namespace: Namespace, pod: str, *, container: str = "") -> Iterator[session.Session]:
    """A session with the Delve that listens in a pod while the block runs.  container: the one whose log an error shows."""
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(
                forward.opened(forward.Target(namespace.cluster.kube, namespace.name, pod, PORT))
            )
            debugger = stack.enter_context(session.over(_Forwarded(stream)))
        except (DebugError, ApiError) as e:
            raise DebugError(e.message, observed=_log(namespace, pod, container), hint="read Delve's log") from e
        yield debugger


@contextmanager
def asked(namespace: Namespace, pod: str, port: int, path: str) -> Iterator[Asked]:
    """A GET to a port of the pod, sent when the block is entered; its answer is read when it is wanted."""
    with forward.opened(forward.Target(namespace.cluster.kube, namespace.name, pod, port)) as stream:
        connection = http.client.HTTPConnection(pod)
        connection.sock = stream
        with Asked(connection, path) as sent:
            yield sent


def add(namespace: Namespace, pod: str, target: str, *, pid: int = 1) -> str:
    """Add Delve to a pod, wait until it listens, and return the container's name.  It stays in the pod's description permanently."""
    kube = namespace.cluster.kube
    found = kube.get("Pod", pod, namespace.name)
    if found is None:
        raise DebugError(f"there is no pod {pod} in {namespace.name}")
    earlier = found["spec"].get("ephemeralContainers", [])
    name = f"delve-{len(earlier) + 1}"
    change = {"spec": {"ephemeralContainers": [*earlier, container(name, namespace.cluster.image(IMAGE), target, pid)]}}
    kube.patch("Pod", pod, namespace.name, change, subresource="ephemeralcontainers")
    begun(namespace, pod, name)
    for line in kube.follow(pod, namespace.name, container=name, seconds=SECONDS):
        if LISTENS in line:
            return name
    raise DebugError(f"{name} does not listen", observed=_log(namespace, pod, name))


def begun(namespace: Namespace, pod: str, name: str) -> None:
    """Return when an ephemeral container has been started.  Raises WaitTimeout."""
    done = partial(_begun, name)
    wait.until(namespace.cluster.kube, "Pod", pod, namespace.name, done=done, what=f"running {name}", seconds=SECONDS)


class _Forwarded:
    """The methods of a socket that the protocol's client uses, on a forwarded port."""

    def __init__(self, stream: forward.Plain) -> None:
        self._stream = stream

    def sendall(self, data: bytes) -> None:
        self._stream.sendall(data)

    def recv(self, _: int) -> bytes:
        try:
            return self._stream.recv()
        except websocket.WebSocketTimeoutException as e:
            raise TimeoutError from e
        except websocket.WebSocketException as e:
            raise OSError(str(e)) from e

    def settimeout(self, seconds: float) -> None:
        self._stream.ws.settimeout(seconds)

    def close(self) -> None:
        self._stream.ws.close()


def container(name: str, image: str, target: str, pid: int) -> Object:
    """An ephemeral container with Delve.  Forwarded connections come from root, hence --only-same-user=false."""
    serve = ["--headless", f"--listen=127.0.0.1:{PORT}", "--api-version=2", "--only-same-user=false"]
    command = ["dlv", "attach", str(pid), *serve]
    return {
        "name": name,
        "image": image,
        "command": command,
        "targetContainerName": target,
        "securityContext": SECURITY,
    }


def _begun(name: str, pod: Object | None) -> bool:
    statuses = (pod or {}).get("status", {}).get("ephemeralContainerStatuses", [])
    return any(s["name"] == name and s["state"].keys() & {"running", "terminated"} for s in statuses)


def _log(namespace: Namespace, pod: str, name: str) -> list[str]:
    try:
        return namespace.cluster.kube.logs(pod, namespace.name, container=name, lines=5).splitlines()
    except ApiError:
        return []
