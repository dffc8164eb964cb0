"""Exercises of 3.2-deployment: a rollout without a failed request, a rollback, and an image that a moved tag does not replace."""

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
        "`orders.yaml` runs a program as Deployment and Service `orders` in the namespace `kit-orders`. The program listens only one "
        "second after its start (`CATALOG_START_DELAY` is `1s`), and each rollout loses requests. Change the file, or write another "
        "one, so that a rollout loses no request. The start must stay slow. The check restarts the Deployment under traffic."
    )
    hints = (
        "A rollout has two moments at which a request can get lost: when a new pod starts, and when an old pod ends. "
        "Compare the file with the one of the chapter. The check shows which moment it is.",
        "A Service sends requests only to ready pods, so a new pod needs a readiness probe. An old pod must keep answering "
        "until no client sends it requests any more.",
        "Add the `readinessProbe` of `deployment.yaml` to the container, and let the pod wait before it ends: set "
        "`CATALOG_DRAIN_DELAY` to `3s`, or add a `preStop` hook that sleeps.",
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
            return passed(f"all {len(sent)} requests during a rollout were answered")
        saw = f"{len(lost)} of {len(sent)} requests failed; the first: {lost['error'].iloc[0] or lost['code'].iloc[0]}"
        if "readinessProbe" not in container:
            return failed(saw, look="the readinessProbe: without it, the Service does not know whether a pod listens")
        return failed(saw, look="the end of a pod: after SIGTERM, clients still send it requests for a while")


class Undo(Deployed):
    """Roll back a broken release."""

    name = "3.2-deployment/undo"
    instance = "billing"
    broken = "kit.local/no-such-image:1"
    task = (
        "Create the namespace `kit-billing`. Roll out `billing.yaml`, and then `billing-next.yaml`, whose image does not exist. "
        "Find out why the rollout does not finish. Then bring back the previous release, without deleting anything."
    )
    hints = (
        "The old pods still serve requests, so there is time. Look at the history of the Deployment. Which revision has "
        "ready pods?",
        "The Deployment keeps one ReplicaSet per revision. A rollback makes the template of an earlier revision the newest "
        "one again. A recreated Deployment or a new template is not a rollback.",
        "`kubectl -n kit-billing rollout history deployment/billing` shows the revisions. `kubectl -n kit-billing rollout undo "
        "deployment/billing` brings back the revision before the newest one.",
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
                look="`kubectl rollout history`: which revision do you want back? The newest one is broken",
            )
        if not history["image"].str.contains("no-such-image").any():
            return failed(
                *saw,
                look="the history: a recreated Deployment has none. Roll back the Deployment that has the broken release",
            )
        if not rolled_back(rollout.replica_sets(self.namespace, self.instance), self.broken):
            return failed(
                *saw,
                look="the newest ReplicaSet: it is not the one from before the broken release. "
                "The template of that revision must come back unchanged",
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
    """Name an image by its digest."""

    name = "3.2-deployment/pinned"
    instance = "pinned"
    movable = "kit.local/pinned:"
    task = (
        "The old release is published as `kit.local/pinned:latest`. Run this release as Deployment `pinned` with two replicas in the "
        "namespace `kit-pinned`. If the tag is moved to another image, new pods must still run the old release. The check moves the "
        "tag to the new release, deletes one pod, and moves the tag back."
    )
    hints = (
        "A tag is a name that can be moved to another image. Which name of an image cannot be moved?",
        "A digest is computed from the content of the image. The status of a running pod shows the digest of its image: "
        "`status.containerStatuses[0].imageID`.",
        "Deploy the old release once by its tag, and read the imageID of a pod. Put this name, `…@sha256:…`, into "
        "`spec.template.spec.containers[0].image`, for example with `kubectl set image`. The repository before the `@` can be another "
        "one with the same content.",
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
                look="the name of the image: it is a tag that can be moved later. The check moves only the tag of the task",
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
                look="the name of the image: a tag can be moved. Only a digest (@sha256:...) always names the same content",
            )
        if set(found) != {tags.OLD}:
            return failed(*saw, look=f"the release with this digest: the task asks for {tags.OLD}")
        return passed(*saw)
