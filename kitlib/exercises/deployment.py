"""Exercises of 3.2-deployment: a rollout without a failed request, one that is taken back, and an image that no tag can swap."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

from kitlib.cluster.bound import Namespace
from kitlib.errors import WaitTimeout
from kitlib.exercises import place
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.kube.client import Object
from kitlib.measure.workloads import pods, tags
from kitlib.workloads import app, rollout, traffic

SECONDS = 30
WAITS = "why the pods wait: is the image one that can be pulled, does the program become ready?"


class _Deployed(Exercise):
    """An exercise whose answer is a Deployment: of a fixed name, in a namespace of that name."""

    instance: str

    @property
    def namespace(self) -> Namespace:
        """The exercise's namespace, made when it is missing."""
        return place.ensure(self.cluster, self.instance)

    def check(self) -> Outcome:
        """Look whether the Deployment exists, then judge it."""
        found = self.cluster.kube.get("Deployment", self.instance, f"kit-{self.instance}")
        return NOT_ATTEMPTED if found is None else self.judge(found)

    @abstractmethod
    def judge(self, deployment: Object) -> Outcome:
        """Judge the Deployment as the API has it."""

    def settled(self, then: Callable[[], Outcome]) -> Outcome:
        """Go on with the check once the Deployment is rolled out; fail with what its pods say when it is not."""
        try:
            app.roll_out(self.namespace, self.instance, SECONDS)
        except WaitTimeout as e:
            return failed(*e.observed[:5], look=WAITS)
        return then()

    def reset(self) -> None:
        """Remove the namespace; if the learner made it, delete only the exercise's objects in it."""
        place.clear(self.cluster, self.instance, [self.instance])


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
    hints = (
        "A rollout has two moments at which a request can get lost: when a new pod comes, and when an old one goes. "
        "Begin with the base, without any treatment, and let the check tell you which one it is.",
        "A Service sends requests to ready pods only, so a new pod needs a readiness probe. An old pod has to go on "
        "answering until every client has noticed that it leaves.",
        "The base has the probes already: take no treatment, set `CATALOG_START_DELAY` to `1s`, and let the pod wait "
        "before it ends, with `CATALOG_DRAIN_DELAY` at `2s` or with a preStop hook that sleeps.",
    )
    solution_text = (
        "namespace = cluster.namespace('orders')\n"
        "env = {'CATALOG_START_DELAY': '1s', 'CATALOG_DRAIN_DELAY': '2s'}\n"
        "namespace.apply(*kit.app.manifests('orders', cluster.image('goapp-distroless'), replicas=2, env=env))"
    )

    def judge(self, deployment: Object) -> Outcome:
        """Look for the slow start and the Service, then restart the Deployment under traffic and count the failed requests."""
        (container, *_) = deployment["spec"]["template"]["spec"]["containers"]
        delay = {e["name"]: e.get("value") for e in container.get("env", [])}.get(self.delay)
        if delay != "1s":
            return failed(
                f"{self.delay} is {delay}", look="env={...} of kit.app.manifests: the program must start slowly"
            )
        if self.cluster.kube.get("Service", self.instance, self.namespace.name) is None:
            return failed(
                "there is no Service/orders",
                look="apply all that kit.app.manifests returned: namespace.apply(*manifests)",
            )
        return self.settled(lambda: self._under_traffic(probed="readinessProbe" in container))

    def _under_traffic(self, *, probed: bool) -> Outcome:
        wanted = len(app.pods(self.namespace, self.instance))
        with traffic.open_loop(
            self.namespace, f"http://{self.instance}/items", rate=100, seconds=90, keepalive=False
        ) as load:
            rollout.restart(self.namespace, self.instance)
            app.roll_out(self.namespace, self.instance)
            pods.until(
                self.namespace, self.instance, done=lambda found: len(found) == wanted, what="the new ones alone"
            )
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
        "release whose image does not exist. Bring the release before it back, without deleting anything. `kit.workloads.rollout` "
        "has the history of a Deployment, and more."
    )
    hints = (
        "Run `stage()` first. Then ask the Deployment for its history: which revision's pods are still ready?",
        "Each revision is a ReplicaSet that is kept. Going back makes the template of an earlier one the newest again; "
        "deleting or writing a new one does not.",
        "`kubectl rollout history deployment/billing -n kit-billing` shows the revisions; `kubectl rollout undo "
        "deployment/billing -n kit-billing` brings back the one before the newest.",
    )
    solution_text = (
        "kit.exercise('3.2-deployment/undo').stage()\n"
        "kit.workloads.rollout.undo(cluster.namespace('billing'), 'billing')"
    )

    def stage(self) -> None:
        """Run the good release, then roll out the broken one."""
        self.namespace.apply(*self.manifests())
        app.roll_out(self.namespace, self.instance)
        rollout.set_image(self.namespace, self.instance, self.broken)

    def manifests(self) -> list[Object]:
        """The manifests of the good release."""
        image = self.cluster.image("goapp-distroless")
        return app.manifests(self.instance, image, replicas=2, treatments=["small", "quick-exit"])

    def judge(self, deployment: Object) -> Outcome:
        """Look whether the Deployment's newest ReplicaSet is that of the release before the broken one, and is rolled out."""
        history = rollout.history(self.namespace, self.instance)
        saw = [f"revision {row.revision}: {row.image}, {row.ready} ready" for row in history.itertuples()]
        if deployment["spec"]["template"]["spec"]["containers"][0]["image"] == self.broken:
            return failed(
                *saw,
                look="kit.workloads.rollout.history(namespace, 'billing'): which revision is to come back? The newest is the broken one",
            )
        if not history["image"].str.contains("no-such-image").any():
            return failed(
                *saw, look="a Deployment that is made anew has no history; go back within the one that stage() made"
            )
        if not rolled_back(rollout.replica_sets(self.namespace, self.instance), self.broken):
            return failed(
                *saw,
                look="the newest revision's ReplicaSet is not the one from before the broken release: "
                "the template of that revision has to come back as it was",
            )
        return self.settled(lambda: passed(*saw))


def rolled_back(sets: Sequence[Object], broken: str) -> bool:
    """Whether the newest template is the one that was in force directly before the newest release with the broken image.

    sets: the ReplicaSets of a Deployment.  A template that comes back is the same ReplicaSet, by its hash; it gets a new revision, and
    an annotation keeps its earlier ones.
    """
    newest = max(sets, key=rollout.revision)
    failing = [r for found in sets if rollout.image(found) == broken for r in rollout.revisions(found)]
    earlier = [r for found in sets if rollout.image(found) != broken for r in rollout.revisions(found)]
    before = max((r for r in earlier if r < max(failing)), default=None) if failing else None
    return before is not None and before in rollout.revisions(newest)


class Pinned(_Deployed):
    """An image by its digest."""

    name = "3.2-deployment/pinned"
    instance = "pinned"
    task = (
        "`kit.measure.tags.move(cluster, 'pinned', kit.measure.tags.OLD)` publishes the old release as `kit.local/pinned:latest`. Run this "
        "release as Deployment `pinned` with two replicas in the namespace `kit-pinned`, so that nobody can swap it by moving the tag. "
        "The check moves the tag to the new release, and deletes one pod."
    )
    hints = (
        "A tag is a name that can be given to another image. Which name of an image cannot?",
        "A digest is computed from the content. A pod that runs says in its status which digest it has: "
        "`status.containerStatuses[0].imageID`.",
        "Deploy the old release by its tag once, read the imageID of a pod, and put it, `…@sha256:…`, into "
        "`spec.template.spec.containers[0].image`, for instance by `kubectl set image`.",
    )
    solution_text = (
        "namespace = cluster.namespace('pinned')\n"
        "image = kit.measure.tags.move(cluster, 'pinned', kit.measure.tags.OLD)\n"
        "namespace.apply(*kit.app.manifests('pinned', image, replicas=2, treatments=['small', 'quick-exit']))\n"
        "kit.app.roll_out(namespace, 'pinned')\n"
        "digest = kit.app.pods(namespace, 'pinned')[0]['status']['containerStatuses'][0]['imageID']\n"
        "namespace.apply(*kit.app.manifests('pinned', digest, replicas=2, treatments=['small', 'quick-exit']))"
    )

    def judge(self, deployment: Object) -> Outcome:
        """Move the tag to the new release, delete one pod, and look whether all pods still run the old release."""
        image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
        return self.settled(lambda: self._after_a_move(image))

    def _after_a_move(self, image: str) -> Outcome:
        tags.move(self.cluster, self.instance, tags.NEW)
        tags.replace_one(self.namespace, self.instance)
        found = sorted(tags.versions(self.namespace, self.instance))
        saw = (f"the Deployment names {image}", f"its pods run {' and '.join(found)}")
        if len(set(found)) > 1:
            return failed(
                *saw,
                look="the name of the image: what can it mean tomorrow? Only a digest (@sha256:...) is the content itself",
            )
        if set(found) != {tags.OLD}:
            return failed(*saw, look=f"which release that digest belongs to: the task asks for {tags.OLD}")
        return passed(*saw)
