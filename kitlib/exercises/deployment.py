"""Exercises of 3.2-deployment: a rollout without a failed request, one that is taken back, and an image that no tag can swap."""

from __future__ import annotations

from collections.abc import Sequence

from kitlib.exercises.base import Outcome, failed, passed
from kitlib.exercises.deployed import Deployed, environment, pods, replaced, uid
from kitlib.kube.client import Object, Ref
from kitlib.measure.workloads import tags
from kitlib.workloads import app, rollout, traffic


class Unnoticed(Deployed):
    """A rollout without a failed request."""

    name = "3.2-deployment/unnoticed"
    instance = "orders"
    delay = "CATALOG_START_DELAY"
    task = (
        "`orders.yaml` runs a program that needs a second before it listens (`CATALOG_START_DELAY` is `1s`), as Deployment and Service "
        "`orders` in the namespace `kit-orders`. Each rollout of it loses requests. Change the file, or write another one, so that a "
        "rollout loses none; the start stays slow. The check restarts the Deployment under traffic."
    )
    hints = (
        "A rollout has two moments at which a request can get lost: when a new pod comes, and when an old one goes. "
        "Compare the file with the one of the chapter, and let the check tell you which moment it is.",
        "A Service sends requests to ready pods only, so a new pod needs a readiness probe. An old pod has to go on "
        "answering until every client has noticed that it leaves.",
        "Add the `readinessProbe` of `deployment.yaml` to the container, and let the pod wait before it ends: "
        "`CATALOG_DRAIN_DELAY` at `3s`, or a `preStop` hook that sleeps.",
    )
    solution_text = """\
kubectl create namespace kit-orders --dry-run=client -o yaml | kubectl apply -f -
sed -i '/CATALOG_DRAIN_DELAY/{n;s/0s/3s/}' orders.yaml
kubectl apply -f orders.yaml
kubectl -n kit-orders patch deployment orders --patch-file /dev/stdin <<'YAML'
spec:
  template:
    spec:
      containers:
        - name: catalog
          readinessProbe:
            httpGet: {path: /ready, port: http}
            periodSeconds: 1
YAML
kubectl -n kit-orders rollout status deployment/orders --timeout=60s"""

    def judge(self, deployment: Object) -> Outcome:
        """Look for the slow start and the Service, then restart the Deployment under traffic and count the failed requests."""
        delay = environment(deployment).get(self.delay, {}).get("value")
        if delay != "1s":
            return failed(
                f"{self.delay} is {delay}", look="the environment of the container: the program must start slowly"
            )
        if self.cluster.kube.get("Service", self.instance, self.namespace.name) is None:
            return failed(
                "there is no Service/orders", look="`orders.yaml` has two objects, and the Service is the second one"
            )
        return self.settled(lambda: self._under_traffic(deployment))

    def _under_traffic(self, deployment: Object) -> Outcome:
        (container, *_) = deployment["spec"]["template"]["spec"]["containers"]
        before = {uid(pod) for pod in pods(self.namespace, deployment)}
        with traffic.open_loop(
            self.namespace, f"http://{self.instance}/items", rate=100, seconds=90, keepalive=False
        ) as load:
            rollout.restart(self.namespace, self.instance)
            replaced(self.namespace, deployment, before, seconds=80)
            load.stop()
        sent = load.results()
        lost = sent[~sent["ok"]]
        if lost.empty:
            return passed(f"{len(sent)} requests during a rollout, and an answer to each")
        saw = f"{len(lost)} of {len(sent)} requests failed; the first: {lost['error'].iloc[0] or lost['code'].iloc[0]}"
        if "readinessProbe" not in container:
            return failed(saw, look="how a Service knows that a new pod listens already: its readinessProbe")
        return failed(saw, look="what a pod does between SIGTERM and its end, while others still have its address")


class Undo(Deployed):
    """A broken release is taken back."""

    name = "3.2-deployment/undo"
    instance = "billing"
    broken = "kit.local/no-such-image:1"
    task = (
        "Create the namespace `kit-billing`, roll out `billing.yaml`, and then `billing-next.yaml`, whose image does not exist. "
        "Find out why the rollout does not end. Then bring the release before it back, without deleting anything."
    )
    hints = (
        "The old pods still serve, so there is time. Ask the Deployment for its history: which revision's pods are ready?",
        "Each revision is a ReplicaSet that is kept. Going back makes the template of an earlier one the newest again; "
        "deleting or writing a new one does not.",
        "`kubectl -n kit-billing rollout history deployment/billing` shows the revisions; `kubectl -n kit-billing rollout undo "
        "deployment/billing` brings back the one before the newest.",
    )
    solution_text = """\
kubectl create namespace kit-billing --dry-run=client -o yaml | kubectl apply -f -
kubectl apply -f billing.yaml
kubectl -n kit-billing rollout status deployment/billing --timeout=60s
kubectl apply -f billing-next.yaml
kubectl -n kit-billing rollout status deployment/billing --timeout=3s || kubectl -n kit-billing get pods
kubectl -n kit-billing rollout undo deployment/billing
kubectl -n kit-billing rollout status deployment/billing --timeout=60s"""

    def judge(self, deployment: Object) -> Outcome:
        """Look whether the Deployment's newest ReplicaSet is that of the release before the broken one, and is rolled out."""
        history = rollout.history(self.namespace, self.instance)
        saw = [f"revision {row.revision}: {row.image}, {row.ready} ready" for row in history.itertuples()]
        if deployment["spec"]["template"]["spec"]["containers"][0]["image"] == self.broken:
            return failed(
                *saw,
                look="`kubectl rollout history`: which revision is to come back? The newest is the broken one",
            )
        if not history["image"].str.contains("no-such-image").any():
            return failed(
                *saw,
                look="a Deployment that is made anew has no history: go back within the one that got the broken release",
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


class Pinned(Deployed):
    """An image by its digest."""

    name = "3.2-deployment/pinned"
    instance = "pinned"
    movable = "kit.local/pinned:"
    task = (
        "The old release is published as `kit.local/pinned:latest`. Run this release as Deployment `pinned` with two replicas in the "
        "namespace `kit-pinned`, so that moving the tag cannot swap it. The check moves the tag to the new release, deletes one pod, "
        "and moves the tag back."
    )
    hints = (
        "A tag is a name that can be given to another image. Which name of an image cannot?",
        "A digest is computed from the content. A pod that runs says in its status which digest it has: "
        "`status.containerStatuses[0].imageID`.",
        "Deploy the old release by its tag once, read the imageID of a pod, and put it, `…@sha256:…`, into "
        "`spec.template.spec.containers[0].image`, for instance by `kubectl set image`. The repository in front of the `@` may be another "
        "one that has the same content.",
    )
    solution_text = """\
kubectl create namespace kit-pinned --dry-run=client -o yaml | kubectl apply -f -
kubectl -n kit-pinned create deployment pinned --image=kit.local/pinned:latest --replicas=2
kubectl -n kit-pinned rollout status deployment/pinned --timeout=60s
image=$(kubectl -n kit-pinned get pods -l app=pinned -o jsonpath='{.items[0].status.containerStatuses[0].imageID}')
kubectl -n kit-pinned set image deployment/pinned "*=$image"
kubectl -n kit-pinned rollout status deployment/pinned --timeout=60s"""

    def prepare(self) -> None:
        """Publish the old release under the tag that the task names."""
        tags.move(self.cluster, self.instance, tags.OLD)

    def judge(self, deployment: Object) -> Outcome:
        """Move the tag to the new release, delete one pod, and look whether all pods still run the old release."""
        image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
        if not deployment["spec"]["replicas"]:
            return failed("replicas: 0", look="the number of replicas: the task asks for two")
        if "@" not in image and not image.startswith(self.movable):
            return failed(
                f"the Deployment names {image}",
                look="a tag that has not been moved yet is still a tag; the check moves the one that the task names",
            )
        return self.settled(lambda: self._after_a_move(deployment, image))

    def _after_a_move(self, deployment: Object, image: str) -> Outcome:
        first = pods(self.namespace, deployment)[0]
        tags.move(self.cluster, self.instance, tags.NEW)
        try:
            self.cluster.kube.delete(Ref.of(first))
            now = replaced(self.namespace, deployment, {uid(first)}, seconds=60)
        finally:
            tags.move(self.cluster, self.instance, tags.OLD)
        found = sorted(app.ask(self.namespace, pod, "/items").headers["x-version"] for pod in now)
        saw = (f"the Deployment names {image}", f"its pods run {' and '.join(found)}")
        if len(set(found)) > 1:
            return failed(
                *saw,
                look="the name of the image: what can it mean tomorrow? Only a digest (@sha256:...) is the content itself",
            )
        if set(found) != {tags.OLD}:
            return failed(*saw, look=f"which release that digest belongs to: the task asks for {tags.OLD}")
        return passed(*saw)
