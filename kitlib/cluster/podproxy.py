"""HTTP to one pod, through the API server's proxy: no port is opened on this machine, and a pod that is not ready also answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import urllib3
import urllib3.exceptions

from kitlib.cluster.bound import Namespace
from kitlib.errors import ApiError, ClusterError
from kitlib.kube import client as kube
from kitlib.kube.connection import JSON, Answer

JSON_LINES = "application/x-ndjson"


def request(
    namespace: Namespace,
    pod: str,
    port: int,
    path: str,
    *,
    method: str,
    body: Any,
    seconds: float,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """The pod's answer, whatever its status.  body: sent as JSON, bytes as they are (lines of JSON); None sends nothing.

    The request is sent once, never again.  Raises ClusterError when nothing comes within `seconds`, ApiError when there is no such pod,
    or the API server cannot reach it.
    """
    doing = f"{method} {path} of pod {pod}"
    target = f"/api/v1/namespaces/{namespace.name}/pods/{pod}:{port}/proxy/{path.removeprefix('/')}"
    connection = namespace.cluster.kube.connection
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    content = {} if data is None else {"Content-Type": JSON_LINES if isinstance(body, bytes) else JSON}
    said = {**content, **(headers or {})}
    with kube.mapped(doing):
        try:
            response = connection.send(method, target, data=data, headers=said, seconds=seconds, check=False)
        except urllib3.exceptions.ReadTimeoutError:
            raise ClusterError(
                f"{doing}: no answer after {seconds:g} s", hint="does it hang? look at its log, and at `faults`"
            ) from None
    answer = Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, _decoded(response))
    if _is_the_api_servers(answer.body):
        raise ApiError(
            f"{doing}: {answer.body['message']}", status=answer.status, hint="is the pod running? ./kit status"
        )
    return answer


def _decoded(response: urllib3.BaseHTTPResponse) -> Any:
    text = response.data.decode(errors="replace")
    return json.loads(text) if "json" in response.headers.get("Content-Type", "") else text


def _is_the_api_servers(body: Any) -> bool:
    """The API server's own failures are objects of kind Status."""
    return isinstance(body, dict) and (body.get("kind"), body.get("apiVersion")) == ("Status", "v1")
