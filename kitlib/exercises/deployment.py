"""Exercises of 3.2-deployment: a rollout that nobody notices, one that is taken back, and an image that nobody can swap."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from kitlib import app, rollout, traffic
from kitlib.cluster import Space
from kitlib.errors import WaitTimeout
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.kube import Object
from kitlib.measure import pods, tags

SECONDS = 30
WAITS = "why the pods wait: is the image one that can be pulled, does the program become ready?"


class _Deployed(Exercise):
    """An exercise whose answer is a Deployment: of a fixed name, in a namespace of that name."""

    instance: str

    @property
    def space(self) -> Space:
        return self.cluster.space(self.instance)

    def check(self) -> Outcome:
        found = self.cluster.kube.get("Deployment", self.instance, f"kit-{self.instance}")
        return NOT_ATTEMPTED if found is None else self.judge(found)

    @abstractmethod
    def judge(self, deployment: Object) -> Outcome:
        """Judge the Deployment as the API has it."""

    def settled(self, then: Callable[[], Outcome]) -> Outcome:
        """Go on with the check once the Deployment is rolled out; fail with what its pods say when it is not."""
        try:
            app.roll_out(self.space, self.instance, SECONDS)
        except WaitTimeout as e:
            return failed(*e.observed[:5], look=WAITS)
        return then()

    def reset(self) -> None:
        if space := Space.find(self.cluster, self.instance):
            space.undo()


class Unnoticed(_Deployed):
    """A rollout without a failed request."""

    name = "3.2-deployment/unnoticed"
    instance = "orders"
    delay = "CATALOG_START_DELAY"
    task = (
        "The program needs a second before it listens (`CATALOG_START_DELAY` is `1s` in its environment). Run it as Deployment and "
        "Service `orders` in the namespace `kit-orders`, so that a rollout loses no request. The check restarts it under traffic. "
        "`kit.app.manifests(name, image, replicas=..., treatments=[...], env={...})` writes the manifests; "
        "the treatments are the folders in `cluster/components`."
    )
    first_hint = "Begin with the base, without any treatment, and find out with the check whether it needs one."
    solution_text = (
        "space = cluster.space('orders')\n"
        "env = {'CATALOG_START_DELAY': '1s', 'CATALOG_DRAIN_DELAY': '2s'}\n"
        "space.apply(*kit.app.manifests('orders', cluster.image('goapp-distroless'), replicas=2, env=env))"
    )

    def judge(self, deployment: Object) -> Outcome:
        (container, *_) = deployment["spec"]["template"]["spec"]["containers"]
        delay = {e["name"]: e.get("value") for e in container.get("env", [])}.get(self.delay)
        if delay != "1s":
            return failed(
                f"{self.delay} is {delay}", look="env={...} of kit.app.manifests: the program must start slowly"
            )
        if self.cluster.kube.get("Service", self.instance, self.space.name) is None:
            return failed(
                "there is no Service/orders", look="apply all that kit.app.manifests returned: space.apply(*manifests)"
            )
        return self.settled(lambda: self._under_traffic(probed="readinessProbe" in container))

    def _under_traffic(self, *, probed: bool) -> Outcome:
        wanted = len(app.pods(self.space, self.instance))
        with traffic.open_loop(
            self.space, f"http://{self.instance}/items", rate=100, seconds=90, keepalive=False
        ) as load:
            rollout.restart(self.space, self.instance)
            app.roll_out(self.space, self.instance)
            pods.until(self.space, self.instance, done=lambda found: len(found) == wanted, what="the new ones alone")
            load.stop()
        sent = load.results()
        lost = sent[~sent["ok"]]
        if lost.empty:
            return passed(f"{len(sent)} requests during a rollout, and an answer to each")
        saw = f"{len(lost)} of {len(sent)} requests failed; the first: {lost['error'].iloc[0] or lost['code'].iloc[0]}"
        if not probed:
            return failed(saw, look="how a Service knows that a new pod listens already: its readinessProbe")
        return failed(saw, look="what a pod does between SIGTERM and its end, while others still have its address")


class Undo(_Deployed):
    """A broken release is taken back."""

    name = "3.2-deployment/undo"
    instance = "billing"
    broken = "kit.local/no-such-image:1"
    task = (
        "`kit.exercise('3.2-deployment/undo').stage()` runs a Deployment `billing` in the namespace `kit-billing` and breaks it with a "
        "release whose image does not exist. Bring the release before it back, without deleting anything. `rollout` (from kitlib) "
        "can tell the history of a Deployment, and more."
    )
    first_hint = "`stage()` first. Then: which revision's pods are still ready?"
    solution_text = (
        "from kitlib import rollout\n"
        "kit.exercise('3.2-deployment/undo').stage()\n"
        "rollout.undo(cluster.space('billing'), 'billing')"
    )

    def stage(self) -> None:
        """Run the good release, then roll out the broken one."""
        self.space.apply(*self.manifests())
        app.roll_out(self.space, self.instance)
        rollout.set_image(self.space, self.instance, self.broken)

    def manifests(self) -> list[Object]:
        """Of the good release."""
        image = self.cluster.image("goapp-distroless")
        return app.manifests(self.instance, image, replicas=2, treatments=["small", "quick-exit"])

    def judge(self, deployment: Object) -> Outcome:
        history = rollout.history(self.space, self.instance)
        saw = [f"revision {row.revision}: {row.image}, {row.ready} ready" for row in history.itertuples()]
        if deployment["spec"]["template"]["spec"]["containers"][0]["image"] == self.broken:
            return failed(
                *saw,
                look="rollout.history(space, 'billing'): which revision is to come back? The newest is the broken one",
            )
        if not history["image"].str.contains("no-such-image").any():
            return failed(
                *saw, look="a Deployment that is made anew has no history; go back within the one that stage() made"
            )
        return self.settled(lambda: passed(*saw))


class Pinned(_Deployed):
    """An image by its digest."""

    name = "3.2-deployment/pinned"
    instance = "pinned"
    task = (
        "`tags.move(cluster, 'pinned', tags.OLD)` publishes the old release as `kit.local/pinned:latest`. Run this release as Deployment "
        "`pinned` with two replicas in the namespace `kit-pinned`, so that nobody can swap it by moving the tag. "
        "The check moves the tag to the new release, and deletes one pod."
    )
    first_hint = "A pod that runs says in its status which image it really has: status.containerStatuses[0].imageID."
    solution_text = (
        "from kitlib.measure import tags\n"
        "space = cluster.space('pinned')\n"
        "image = tags.move(cluster, 'pinned', tags.OLD)\n"
        "space.apply(*kit.app.manifests('pinned', image, replicas=2, treatments=['small', 'quick-exit']))\n"
        "kit.app.roll_out(space, 'pinned')\n"
        "digest = kit.app.pods(space, 'pinned')[0]['status']['containerStatuses'][0]['imageID']\n"
        "space.apply(*kit.app.manifests('pinned', digest, replicas=2, treatments=['small', 'quick-exit']))"
    )

    def judge(self, deployment: Object) -> Outcome:
        image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
        return self.settled(lambda: self._after_a_move(image))

    def _after_a_move(self, image: str) -> Outcome:
        tags.move(self.cluster, self.instance, tags.NEW)
        tags.replace_one(self.space, self.instance)
        found = sorted(tags.versions(self.space, self.instance))
        saw = (f"the Deployment names {image}", f"its pods run {' and '.join(found)}")
        if len(set(found)) > 1:
            return failed(
                *saw,
                look="the name of the image: what can it mean tomorrow? Only a digest (@sha256:...) is the content itself",
            )
        if set(found) != {tags.OLD}:
            return failed(*saw, look=f"which release that digest belongs to: the task asks for {tags.OLD}")
        return passed(*saw)
