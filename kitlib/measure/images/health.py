"""Which runtimes act on an image's HEALTHCHECK?"""

from __future__ import annotations

import time
from typing import Any

from kitlib.cluster.bound import Namespace
from kitlib.engine.client import Engine
from kitlib.engine.errors import mapped
from kitlib.errors import EngineError
from kitlib.measure.images import users
from kitlib.workloads import builds

SECONDS = 60
OFTEN = {"interval": 500_000_000, "retries": 5}  # ns; in place of the image's own interval, of half a minute by default
DOCKERFILE = """\
ARG GOAPP
ARG ALPINE
FROM ${{GOAPP}} AS built
FROM ${{ALPINE}}
COPY --from=built /usr/local/bin/catalog /catalog
LABEL org.opencontainers.image.revision=4f2c9aa
USER 65532:65532
HEALTHCHECK CMD ["{check}"]
ENTRYPOINT ["/catalog"]
"""


def build(engine: Engine, made: str, check: str) -> str:
    """goapp in an image with this program as its HEALTHCHECK; returns its name."""
    goapp = builds.base(engine, "goapp-scratch")
    return builds.build(engine, DOCKERFILE.format(check=check), f"{made}:health-{check}", args={"GOAPP": goapp})


def minded(namespace: Namespace, made: str, reference: str) -> dict[str, str]:
    """The engine's state for a container of the image, and the fate of a pod of it."""
    word, _ = status(namespace.cluster.engine, made, reference)
    pod = users.admission(namespace, "non-root", builds.publish(namespace.cluster, reference))
    return {"Docker": word, "Kubernetes": "ready" if pod["runs"] else "not ready"}


def status(engine: Engine, made: str, reference: str) -> tuple[str, str]:
    """`healthy`, `unhealthy` or `ended`, whichever a container of the image is first, and what its check printed last.

    Raises EngineError when the engine reports none of these.
    """
    container = builds.start(engine, made, reference, healthcheck=OFTEN)
    try:
        with mapped(f"following {reference}"):
            word = _first(engine, container)
            container.reload()
            log = container.attrs["State"].get("Health", {}).get("Log") or [{"Output": ""}]
            return word, str(log[-1]["Output"]).strip()
    finally:
        container.remove(force=True, v=True)


def _first(engine: Engine, container: Any) -> str:
    """The first of the engine's events, also of those from before the call."""
    until = int(time.time()) + SECONDS
    for event in engine.client.events(since=1, until=until, filters={"container": container.id}, decode=True):
        what, _, word = str(event["Action"]).partition(": ")
        if what in ("health_status", "die"):
            return word or "ended"
    raise EngineError(f"the engine reported no health of {container.name} for {SECONDS} s")
