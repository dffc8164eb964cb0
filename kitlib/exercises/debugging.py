"""Exercises of 2.4-debugging: an image, a running program and a pod; the checks debug them, or request their items."""

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
    "starts": "the final stage: is dlv on its PATH, and is the program at /usr/local/bin/catalog?",
    "stops": "the build: the linker flags -s and -w leave out the debug information, and -trimpath changes its paths",
    "steps": "the build: optimised code does not run line by line",
    "reads": "the build: without -gcflags='all=-N -l', the compiler optimises variables away",
    "serves": "the program: does it continue after the debugger has disconnected?",
}


class Image(Exercise):
    """Change the guide's image so that it can be debugged."""

    name = f"{CHAPTER}/image"
    tag = "exercise-debuggable:answer"
    task = (
        "Write the Dockerfile that section 2.4 of the guide needs. It has two stages, with Delve and goapp in the second one. A debugger "
        f'must be able to read every variable of goapp. `kit.app.build(cluster.engine, dockerfile, "{tag}")` builds it. '
        "The ARGs `GOLANG`, `ALPINE` and `DELVE` name base images, and `DELVE` is alpine with `/usr/local/bin/dlv`. "
        "Build in `/src`, and put the program at `/usr/local/bin/catalog`."
    )
    hints = (
        "Begin with the guide's two stages. For each stage, ask what a debugger needs and does not find there.",
        "The guide's final stage has no dlv, and the base `DELVE` has it. The guide's build leaves out what a debugger "
        "needs: your build must neither optimise nor strip the program.",
        'Use `go build -gcflags="all=-N -l"`, without `-ldflags="-s -w"` and without `-trimpath`. Then write '
        "`FROM ${DELVE}`, and copy the program with `COPY --from=build` to /usr/local/bin/catalog.",
    )
    solution_text = (
        'kit.app.build(cluster.engine, """\\\nARG GOLANG\nARG DELVE\nFROM ${GOLANG} AS build\nWORKDIR /src\nCOPY . .\n'
        "RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \\\\\n"
        '    CGO_ENABLED=0 go build -gcflags="all=-N -l" -o /catalog ./cmd/catalog\nFROM ${DELVE}\n'
        f'COPY --from=build /catalog /usr/local/bin/catalog\n""", "{tag}")'
    )

    def check(self) -> Outcome:
        """Debug a container of the image, and record which steps of the session succeed."""
        reference = built.answered(self.cluster.engine, self.tag)
        if self.cluster.engine.inspect(reference) is None:
            return NOT_ATTEMPTED
        reached, reason = debugging.through(self.cluster, "exercise-debuggable", reference)
        missed = [step for step in debugging.STEPS if step not in reached]
        saw = f"in a debugging session, the program {', '.join(reached) or 'does nothing'}"
        return failed(saw, *reason, look=LOOK[missed[0]]) if missed else passed(saw)

    def reset(self) -> None:
        """Remove the image under both of its names."""
        built.forget(self.cluster.engine, self.tag)


class Price(Exercise):
    """Change a value in the memory of a running program."""

    name = f"{CHAPTER}/price"
    made = "exercise-price"
    task = (
        f"`.given()` starts goapp under Delve, and returns the ports of Delve and of goapp. Make the running program sell item 2 for "
        f"{PRICE} cents. Use only the debugger: no new item, no new build and no restart. Then let the program continue."
    )
    hints = (
        "A debugger can change a variable while the program is stopped. At which line does the program use the item?",
        "Stop the program where it looks up an item. `evaluate` and `inside` show the item in `store`, and `assign` "
        "writes a field. Elements are counted from 0.",
        "Set a breakpoint in internal/catalog/items_get.go at `item, err := store.Get(id)`, and request `/items/2`. "
        "Assign 42 to `PriceCents` of `store.items[1]`. When you leave the session, the program continues.",
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
        """Start goapp under Delve if it does not run; return the ports of Delve and of goapp on 127.0.0.1."""
        container = self._find() or debugging.under_delve(self.cluster, self.made)
        compose.said(container, debugging.READY)
        return compose.published(container, debugging.DELVE), compose.published(container, debugging.APP)

    def check(self) -> Outcome:
        """Find the running container, then judge its items."""
        container = self._find()
        return NOT_ATTEMPTED if container is None else self.judge(container)

    def judge(self, container: Any) -> Outcome:
        """Request goapp's items: their number must be unchanged, and item 2 must have the new price."""
        try:
            with debug.ask(compose.published(container, debugging.APP), "/items", seconds=3) as asked:
                items = json.loads(asked.answer()[1])["items"]
        except (DebugError, EngineError) as e:
            return failed(e.message, look="the program: is it stopped? resume() or detach() lets it continue")
        prices = {item["id"]: item["price_cents"] for item in items}
        saw = f"prices by id: {prices}"
        if len(prices) != len(debugging.ITEMS):
            return failed(saw, look="the number of items: a new one is not allowed; start again with .reset()")
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
    """A pod whose image has no shell and no debugger."""

    name = f"{CHAPTER}/mute"
    namespace = "debugging-mute"
    pod = "mute"
    task = (
        "`.given()` starts a pod of goapp. Its image has no shell and no Delve, only the program, and its namespace enforces Pod Security "
        "`restricted`. Add an ephemeral container in which Delve is attached to the program and listens on port 40000, ready for "
        '`kit.debug.pod.connected`. `cluster.kube.patch("Pod", ..., subresource="ephemeralcontainers")` adds one. Its image is '
        '`cluster.image("delve")`.'
    )
    hints = (
        "You cannot change the pod's containers, but you can add a container while the pod runs. What must it share with "
        "the program's container, so that a debugger in it sees the program?",
        "`kitlib/debug/pod.py` also adds such a container: read which fields it sets. `targetContainerName` makes the "
        "processes of the program visible.",
        "Add an ephemeral container from `cluster.image('delve')`, with `targetContainerName: goapp` and the security "
        "context that `restricted` requires. Its command is `dlv attach 1 --headless --listen=127.0.0.1:40000 "
        "--api-version=2 --only-same-user=false`.",
    )
    solution_text = (
        'namespace = kit.exercise("2.4-debugging/mute").given()\nkit.debug.pod.add(namespace, "mute", "goapp")'
    )

    def given(self) -> Namespace:
        """Start the pod if it does not exist; return its namespace."""
        found = Namespace.find(self.cluster, self.namespace)
        if found and self.cluster.kube.get("Pod", self.pod, found.name):
            return found
        return debugging.restricted_pod(self.cluster, self.namespace, self.pod)

    def check(self) -> Outcome:
        """Find the newest ephemeral container of the pod, then judge it."""
        namespace = Namespace.find(self.cluster, self.namespace)
        found = namespace and self.cluster.kube.get("Pod", self.pod, namespace.name)
        added = found and found["spec"].get("ephemeralContainers")
        return self.judge(namespace, added[-1]) if namespace and added else NOT_ATTEMPTED

    def judge(self, namespace: Namespace, container: dict[str, Any]) -> Outcome:
        """Verify that the container targets goapp, and that its Delve stops the program at a breakpoint and then lets it answer."""
        name = container["name"]
        if container.get("targetContainerName") != "goapp":
            said = f"{name} targets {container.get('targetContainerName') or 'no container'}"
            return failed(said, look="targetContainerName: which container's processes does Delve see?")
        try:
            with pods.connected(namespace, self.pod, container=name) as session:
                session.breakpoint(debugging.FILE, debugging.LINE)
                with pods.asked(namespace, self.pod, app.PORT, "/items/2") as asked:
                    stopped = session.wait(5)
                    session.detach()
                    answer = asked.answer()
        except KitError as e:
            look = (
                "Delve's options: --headless, --listen, and --only-same-user=false, because root opens the connection"
            )
            return failed(f"{name}: {e.message}", *e.observed[-3:], look=look)
        return passed(f"{name} stopped the program at {stopped.frames[0]}", f"it then answered with status {answer[0]}")

    def reset(self) -> None:
        """Delete the pod, then the namespace."""
        if namespace := Namespace.find(self.cluster, self.namespace):
            for pod in self.cluster.kube.list("Pod", namespace.name):
                self.cluster.kube.delete(Ref.of(pod))
                wait.until(self.cluster.kube, "Pod", self.pod, namespace.name, done=wait.gone, what="gone")
            namespace.undo()
