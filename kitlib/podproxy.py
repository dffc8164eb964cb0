"""HTTP to one pod, through the API server's proxy: no port is opened on this machine, and a pod that is not ready answers, too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
import urllib3.exceptions

from kitlib import kube
from kitlib.cluster import Space
from kitlib.connection import JSON
from kitlib.errors import ApiError, ClusterError

JSON_LINES = "application/x-ndjson"


@dataclass(frozen=True)
class Answer:
    """headers: names in lower case.  body: decoded when it is JSON, else text."""

    status: int
    headers: dict[str, str]
    body: Any


def request(
    space: Space,
    pod: str,
    port: int,
    path: str,
    *,
    method: str,
    body: Any,
    seconds: float,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """What the pod answers, whatever its status.  body: sent as JSON, bytes as they are (lines of JSON); None sends nothing.

    Asked once, never again.  Raises ClusterError when nothing comes within `seconds`, ApiError when there is no such pod, or the API
    server cannot reach it.
    """
    doing = f"{method} {path} of pod {pod}"
    target = f"/api/v1/namespaces/{space.name}/pods/{pod}:{port}/proxy/{path.removeprefix('/')}"
    connection = space.cluster.kube.connection
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
