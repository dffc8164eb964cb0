"""Who minds an image's HEALTHCHECK?"""

from __future__ import annotations

import time
from typing import Any

from kitlib.cluster import Space
from kitlib.engine import Engine, mapped
from kitlib.errors import EngineError
from kitlib.measure import builds, users

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


def minded(space: Space, made: str, reference: str) -> dict[str, str]:
    """What the engine calls a container of the image, and what becomes of a pod of it."""
    word, _ = status(space.cluster.engine, made, reference)
    pod = users.admission(space, "non-root", builds.publish(space.cluster, reference))
    return {"Docker": word, "Kubernetes": "ready" if pod["runs"] else "not ready"}


def status(engine: Engine, made: str, reference: str) -> tuple[str, str]:
    """`healthy`, `unhealthy` or `ended`, whichever a container of the image is first, and what its check printed last.

    Raises EngineError when the engine says nothing of this.
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
    """The engine tells by events, also those from before it was asked."""
    until = int(time.time()) + SECONDS
    for event in engine.client.events(since=1, until=until, filters={"container": container.id}, decode=True):
        what, _, word = str(event["Action"]).partition(": ")
        if what in ("health_status", "die"):
            return word or "ended"
    raise EngineError(f"the engine says nothing of the health of {container.name} for {SECONDS} s")
