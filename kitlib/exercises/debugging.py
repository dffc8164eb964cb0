"""Exercises of 2.4-debugging: an image, a running program and a pod; the checks debug them, or ask what they serve."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import docker.errors

from kitlib import app, compose, debug, images, wait
from kitlib.cluster import Space
from kitlib.debug import pod as pods
from kitlib.engine import mapped
from kitlib.errors import DebugError, EngineError, KitError
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.kube import Ref
from kitlib.measure import builds, debugging

CHAPTER = "2.4-debugging"
PRICE = 42
LOOK = {  # by the first step that is not reached
    "starts": "the final stage: is dlv on the PATH there, and the program at /usr/local/bin/catalog?",
    "stops": "the build: the linker's flags -s and -w leave the debug information out, and -trimpath changes its paths",
    "steps": "the build: optimised code does not go line by line",
    "reads": "the build: the compiler optimises variables away unless it is told -gcflags='all=-N -l'",
    "serves": "whether the program goes on when the debugger has left",
}


class Image(Exercise):
    """Make the guide's image one that can be debugged."""

    name = f"{CHAPTER}/image"
    tag = "exercise-debuggable:answer"
    task = (
        "Write the Dockerfile that section 2.4 of the guide needs: two stages, Delve and goapp in the second one, and every variable of "
        f'goapp readable. `kit.app.build(cluster.engine, dockerfile, "{tag}")` builds it; the ARGs `GOLANG`, `ALPINE` and `DELVE` name '
        "bases, of which the last is alpine with `/usr/local/bin/dlv`. Build in `/src`; the program's place is `/usr/local/bin/catalog`."
    )
    first_hint = "Begin with the guide's two stages, and ask of each what the debugger misses in it."
    solution_text = (
        'kit.app.build(cluster.engine, """\\\nARG GOLANG\nARG DELVE\nFROM ${GOLANG} AS build\nWORKDIR /src\nCOPY . .\n'
        "RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \\\\\n"
        '    CGO_ENABLED=0 go build -gcflags="all=-N -l" -o /catalog ./cmd/catalog\nFROM ${DELVE}\n'
        f'COPY --from=build /catalog /usr/local/bin/catalog\n""", "{tag}")'
    )

    @property
    def reference(self) -> str:
        return f"{images.PREFIX}/{self.tag}"

    def check(self) -> Outcome:
        if self.cluster.engine.inspect(self.reference) is None:
            return NOT_ATTEMPTED
        reached, reason = debugging.through(self.cluster, "exercise-debuggable", self.reference)
        missed = [step for step in debugging.STEPS if step not in reached]
        saw = f"of a debugging session, it {', '.join(reached) or 'does nothing'}"
        return failed(saw, *reason, look=LOOK[missed[0]]) if missed else passed(saw)

    def reset(self) -> None:
        if self.cluster.engine.inspect(self.reference):
            self.cluster.engine.remove(self.reference)


class Price(Exercise):
    """Change what a running program has in memory."""

    name = f"{CHAPTER}/price"
    made = "exercise-price"
    task = (
        f"`.given()` starts goapp under Delve, and returns Delve's port and goapp's. Make the running program sell item 2 for "
        f"{PRICE} cents: by the debugger alone, without a new item, a new build or a restart. Then let it serve."
    )
    first_hint = "Stop it where it looks an item up; `evaluate` and `inside` lead from `store` to the item, and `assign` writes a field."
    solution_text = (
        'delve, goapp = kit.exercise("2.4-debugging/price").given()\n'
        "from kitlib import debug\n"
        "with debug.attach(delve) as session:\n"
        '    session.breakpoint("internal/catalog/items_get.go", "item, err := store.Get(id)")\n'
        '    with debug.ask(goapp, "/items/2"):\n'
        "        session.wait()\n"
        '        session.assign(session.evaluate("store.items[1]"), "PriceCents", "42")'
    )

    def given(self) -> tuple[int, int]:
        """Start it, if it does not run; the ports of Delve and of goapp on 127.0.0.1."""
        container = self._find() or debugging.under_delve(self.cluster, self.made)
        compose.said(container, debugging.READY)
        return compose.published(container, debugging.DELVE), compose.published(container, debugging.APP)

    def check(self) -> Outcome:
        container = self._find()
        return NOT_ATTEMPTED if container is None else self.judge(container)

    def judge(self, container: Any) -> Outcome:
        try:
            with debug.ask(compose.published(container, debugging.APP), "/items", seconds=3) as asked:
                items = json.loads(asked.answer()[1])["items"]
        except (DebugError, EngineError) as e:
            return failed(e.message, look="whether it runs: resume() or detach() lets a stopped program go on")
        prices = {item["id"]: item["price_cents"] for item in items}
        saw = f"prices by id: {prices}"
        if len(prices) != len(debugging.ITEMS):
            return failed(saw, look="the number of items: the task wants no new one; start again by .reset()")
        if prices[2] != PRICE:
            return failed(saw, look="item 2: which element of store.items is it? Elements are counted from 0")
        return passed(saw)

    def reset(self) -> None:
        builds.remove(self.cluster.engine, self.made)

    def _find(self) -> Any:
        mine = {"label": f"{builds.LABEL}={self.made}"}
        with mapped(f"looking for {self.made}"), suppress(docker.errors.NotFound):
            return next(iter(self.cluster.engine.client.containers.list(filters=mine)), None)


class Mute(Exercise):
    """A pod without a shell."""

    name = f"{CHAPTER}/mute"
    space = "debugging-mute"
    pod = "mute"
    task = (
        "`.given()` starts a pod of goapp whose image has no shell, no Delve, nothing but the program; its namespace enforces Pod Security "
        "`restricted`. Put an ephemeral container beside it whose Delve is attached to the program and listens on port 40000, ready for "
        '`kitlib.debug.pod.connected`. `cluster.kube.patch("Pod", ..., subresource="ephemeralcontainers")` adds one, from the image '
        '`cluster.image("delve")`.'
    )
    first_hint = (
        "`kitlib/debug/pod.py` adds one, too: which fields does its container have, and what is each of them for?"
    )
    solution_text = 'from kitlib.debug import pod\n\nspace = kit.exercise("2.4-debugging/mute").given()\npod.add(space, "mute", "goapp")'

    def given(self) -> Space:
        """Start the pod, if it is not there; its namespace."""
        found = Space.find(self.cluster, self.space)
        if found and self.cluster.kube.get("Pod", self.pod, found.name):
            return found
        return debugging.restricted_pod(self.cluster, self.space, self.pod)

    def check(self) -> Outcome:
        space = Space.find(self.cluster, self.space)
        found = space and self.cluster.kube.get("Pod", self.pod, space.name)
        added = found and found["spec"].get("ephemeralContainers")
        return self.judge(space, added[-1]) if space and added else NOT_ATTEMPTED

    def judge(self, space: Space, container: dict[str, Any]) -> Outcome:
        name = container["name"]
        if container.get("targetContainerName") != "goapp":
            said = f"{name} targets {container.get('targetContainerName') or 'no container'}"
            return failed(said, look="whose processes it sees: targetContainerName")
        try:
            with pods.connected(space, self.pod, container=name) as session:
                session.breakpoint(debugging.FILE, debugging.LINE)
                with pods.asked(space, self.pod, app.PORT, "/items/2") as asked:
                    stopped = session.wait(5)
                    session.detach()
                    answer = asked.answer()
        except KitError as e:
            look = (
                "Delve's options: --headless, --listen, and --only-same-user=false, as a forwarded connection is root's"
            )
            return failed(f"{name}: {e.message}", *e.observed[-3:], look=look)
        return passed(f"{name} stopped the program at {stopped.frames[0]}", f"which then answered {answer[0]}")

    def reset(self) -> None:
        if space := Space.find(self.cluster, self.space):
            for pod in self.cluster.kube.list("Pod", space.name):
                self.cluster.kube.delete(Ref.of(pod))
                wait.until(self.cluster.kube, "Pod", self.pod, space.name, done=wait.gone, what="gone")
            space.undo()
