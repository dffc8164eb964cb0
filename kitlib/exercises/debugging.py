"""Exercises of 2.4-debugging: an image, a running program and a pod; the checks debug them, or ask what they serve."""

from __future__ import annotations

import json
from typing import Any

from kitlib import debug
from kitlib.cluster.bound import Namespace
from kitlib.debug import pod as pods
from kitlib.errors import DebugError, EngineError, KitError
from kitlib.exercises import built
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.kube import wait
from kitlib.kube.client import Ref
from kitlib.measure.development import debugging
from kitlib.workloads import app, builds, compose

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
    hints = (
        "Begin with the guide's two stages, and ask of each what the debugger misses in it.",
        "The final stage has no dlv: the base `DELVE` has one. The build leaves out what a debugger needs: it must "
        "neither optimise nor strip.",
        '`go build -gcflags="all=-N -l"` without `-ldflags="-s -w"` and without `-trimpath`; then `FROM ${DELVE}` and '
        "`COPY --from=build` to /usr/local/bin/catalog.",
    )
    solution_text = (
        'kit.app.build(cluster.engine, """\\\nARG GOLANG\nARG DELVE\nFROM ${GOLANG} AS build\nWORKDIR /src\nCOPY . .\n'
        "RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \\\\\n"
        '    CGO_ENABLED=0 go build -gcflags="all=-N -l" -o /catalog ./cmd/catalog\nFROM ${DELVE}\n'
        f'COPY --from=build /catalog /usr/local/bin/catalog\n""", "{tag}")'
    )

    def check(self) -> Outcome:
        """Debug a container of the image, and look which steps of the session it reaches."""
        reference = built.answered(self.cluster.engine, self.tag)
        if self.cluster.engine.inspect(reference) is None:
            return NOT_ATTEMPTED
        reached, reason = debugging.through(self.cluster, "exercise-debuggable", reference)
        missed = [step for step in debugging.STEPS if step not in reached]
        saw = f"of a debugging session, it {', '.join(reached) or 'does nothing'}"
        return failed(saw, *reason, look=LOOK[missed[0]]) if missed else passed(saw)

    def reset(self) -> None:
        """Remove the image under both its names."""
        built.forget(self.cluster.engine, self.tag)


class Price(Exercise):
    """Change what a running program has in memory."""

    name = f"{CHAPTER}/price"
    made = "exercise-price"
    task = (
        f"`.given()` starts goapp under Delve, and returns Delve's port and goapp's. Make the running program sell item 2 for "
        f"{PRICE} cents: by the debugger alone, without a new item, a new build or a restart. Then let it serve."
    )
    hints = (
        "A debugger can change a variable of a program that is stopped. Where does the program have the item in its "
        "hands?",
        "Stop it where it looks an item up; `evaluate` and `inside` lead from `store` to the item, and `assign` writes "
        "a field. Elements are counted from 0.",
        "Set the breakpoint in internal/catalog/items_get.go at `item, err := store.Get(id)`, ask for `/items/2`, and "
        "assign 42 to `PriceCents` of `store.items[1]`. Leaving the session lets the program go on.",
    )
    solution_text = (
        'delve, goapp = kit.exercise("2.4-debugging/price").given()\n'
        "with kit.debug.attach(delve) as session:\n"
        '    session.breakpoint("internal/catalog/items_get.go", "item, err := store.Get(id)")\n'
        '    with kit.debug.ask(goapp, "/items/2"):\n'
        "        session.wait()\n"
        '        session.assign(session.evaluate("store.items[1]"), "PriceCents", "42")'
    )

    def given(self) -> tuple[int, int]:
        """Start goapp under Delve, if it does not run; the ports of Delve and of goapp on 127.0.0.1."""
        container = self._find() or debugging.under_delve(self.cluster, self.made)
        compose.said(container, debugging.READY)
        return compose.published(container, debugging.DELVE), compose.published(container, debugging.APP)

    def check(self) -> Outcome:
        """Look for the running container, then judge what it serves."""
        container = self._find()
        return NOT_ATTEMPTED if container is None else self.judge(container)

    def judge(self, container: Any) -> Outcome:
        """Ask goapp for its items: their number must be unchanged, and item 2 must have the new price."""
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
        """Remove the container."""
        builds.remove(self.cluster.engine, self.made)

    def _find(self) -> Any:
        found = builds.containers(self.cluster.engine, self.made)
        return next((container for container in found if container.status == "running"), None)


class Mute(Exercise):
    """A pod without a shell."""

    name = f"{CHAPTER}/mute"
    namespace = "debugging-mute"
    pod = "mute"
    task = (
        "`.given()` starts a pod of goapp whose image has no shell, no Delve, nothing but the program; its namespace enforces Pod Security "
        "`restricted`. Put an ephemeral container beside it whose Delve is attached to the program and listens on port 40000, ready for "
        '`kit.debug.pod.connected`. `cluster.kube.patch("Pod", ..., subresource="ephemeralcontainers")` adds one, from the image '
        '`cluster.image("delve")`.'
    )
    hints = (
        "The pod cannot be changed, but a container can be added to it while it runs. What has to be shared, so that a "
        "debugger there sees the program?",
        "`kitlib/debug/pod.py` adds one, too: look which fields its container has. `targetContainerName` makes the "
        "processes of the program visible.",
        "An ephemeral container from `cluster.image('delve')` with `targetContainerName: goapp` and the security context "
        "that `restricted` asks for. It runs `dlv attach 1 --headless --listen=127.0.0.1:40000 --api-version=2 "
        "--only-same-user=false`.",
    )
    solution_text = (
        'namespace = kit.exercise("2.4-debugging/mute").given()\nkit.debug.pod.add(namespace, "mute", "goapp")'
    )

    def given(self) -> Namespace:
        """Start the pod, if it is not there; its namespace."""
        found = Namespace.find(self.cluster, self.namespace)
        if found and self.cluster.kube.get("Pod", self.pod, found.name):
            return found
        return debugging.restricted_pod(self.cluster, self.namespace, self.pod)

    def check(self) -> Outcome:
        """Look whether the pod has an ephemeral container, then judge the newest one."""
        namespace = Namespace.find(self.cluster, self.namespace)
        found = namespace and self.cluster.kube.get("Pod", self.pod, namespace.name)
        added = found and found["spec"].get("ephemeralContainers")
        return self.judge(namespace, added[-1]) if namespace and added else NOT_ATTEMPTED

    def judge(self, namespace: Namespace, container: dict[str, Any]) -> Outcome:
        """Look whether the container targets goapp, and whether its Delve stops the program at a breakpoint and then lets it answer."""
        name = container["name"]
        if container.get("targetContainerName") != "goapp":
            said = f"{name} targets {container.get('targetContainerName') or 'no container'}"
            return failed(said, look="whose processes it sees: targetContainerName")
        try:
            with pods.connected(namespace, self.pod, container=name) as session:
                session.breakpoint(debugging.FILE, debugging.LINE)
                with pods.asked(namespace, self.pod, app.PORT, "/items/2") as asked:
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
        """Delete the pod, then the namespace."""
        if namespace := Namespace.find(self.cluster, self.namespace):
            for pod in self.cluster.kube.list("Pod", namespace.name):
                self.cluster.kube.delete(Ref.of(pod))
                wait.until(self.cluster.kube, "Pod", self.pod, namespace.name, done=wait.gone, what="gone")
            namespace.undo()
