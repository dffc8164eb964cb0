"""Exercises of 2.5-registry: the checks inspect the private registry, and a pod that pulls from it."""

from __future__ import annotations

import base64
import json
from abc import abstractmethod
from collections.abc import Mapping
from contextlib import suppress

from kitlib.cluster.bound import Namespace
from kitlib.errors import ClusterError, RegistryRefused
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.kube.client import Object
from kitlib.private_registry import Private, files, find, pulls, signing, storage
from kitlib.workloads import builds

CHAPTER = "2.5-registry"
BIG = 20_000_000  # bytes
SPENT = "reclaim.json"  # beside the registry's configuration
BEGIN = "private = kit.private_registry\nregistry = private.ensure(cluster)\n"


class _Pushed(Exercise):
    """An exercise on a repository of the private registry."""

    repository: str
    made: str  # name of the images in the engine, for `builds.remove`

    def check(self) -> Outcome:
        """Find the tags of the repository, then judge it."""
        private = find(self.cluster)
        if private is None or not (tags := storage.tags(private, self.repository)):
            return NOT_ATTEMPTED
        return self.judge(private, tags)

    @abstractmethod
    def judge(self, private: Private, tags: list[str]) -> Outcome:
        """Judge a repository that has tags."""

    def reset(self) -> None:
        """Remove the exercise's images from the engine and from the registry."""
        builds.remove(self.cluster.engine, self.made)
        if private := find(self.cluster):
            storage.clear(private, self.repository)


class Pull(_Pushed):
    """A pod that is allowed to pull from the private registry."""

    name = f"{CHAPTER}/pull"
    repository = "exercise/pull"
    made = "exercise-pull"
    namespace = "exercise-pull"
    task = (
        f"Push an image as `{repository}:1` to the private registry. Then run it in a pod with the name `answer`, in the namespace "
        f'`cluster.namespace("{namespace}")`. On the nodes, the name of the image is `{files.HOST}/{repository}:1`. '
        "The chapter used `client.push`, `pulls.trust`, `pulls.secret` and `pulls.pod` of `kit.private_registry`."
    )
    hints = (
        "Three things need data of the registry: each node needs its address and certificate authority, the pod needs a "
        "Secret, and the Secret needs a password.",
        "`client.push` sends the image, and `pulls.trust` prepares the nodes. `pulls.secret` returns a Secret, and "
        "`pulls.pod` returns a pod that names it in `imagePullSecrets`.",
        "Keep this order: push the image, call `pulls.trust(registry)`, call `namespace.apply(pulls.secret(registry))`, "
        "then apply `pulls.pod('answer', …, secret=pulls.SECRET)`.",
    )
    solution_text = (
        f"{BEGIN}"
        'DOCKERFILE = "ARG ALPINE\\nFROM ${ALPINE}\\nRUN head -c 9 /dev/urandom > /mine\\n"\n'
        f'private.client.push(registry, kit.builds.build(cluster.engine, DOCKERFILE, "{made}:1"), "{repository}:1")\n'
        "private.pulls.trust(registry)\n"
        f'namespace = cluster.namespace("{namespace}")\n'
        "namespace.apply(private.pulls.secret(registry))\n"
        f'private.pulls.outcome(namespace, private.pulls.pod("answer", "{repository}:1", secret=private.pulls.SECRET))'
    )

    def judge(self, private: Private, tags: list[str]) -> Outcome:
        """Verify that the pod's image comes from the registry, and that the pod runs."""
        namespace = Namespace.find(self.cluster, self.namespace)
        pod = self.cluster.kube.get("Pod", "answer", namespace.name) if namespace else None
        if namespace is None or pod is None:
            return NOT_ATTEMPTED
        image = pod["spec"]["containers"][0]["image"]
        if not image.startswith(f"{files.HOST}/{self.repository}"):
            return failed(f"the pod's image is {image}", look=f"its name: the image must come from {files.HOST}")
        reason, said = pulls.waiting(pod)
        if pod["status"].get("phase") != "Running":
            return failed(f"{reason}: {said}", look=self._why(namespace, pod))
        return passed(f"the pod runs {image}", f"the registry at {private.address} has the tags {', '.join(tags)}")

    def _why(self, namespace: Namespace, pod: Object) -> str:
        """Where to look when the image is refused."""
        names = [entry["name"] for entry in pod["spec"].get("imagePullSecrets", [])]
        secrets = [s for name in names if (s := self.cluster.kube.get("Secret", name, namespace.name))]
        if not secrets:
            return "imagePullSecrets: the pod names no Secret that exists in its namespace"
        hosts = {host for secret in secrets for host in registries(secret)}
        if files.HOST not in hosts:
            return f"the Secret: it has a login for {', '.join(sorted(hosts))}, but the image is on {files.HOST}"
        return "the node: does it know the registry (certs.d)? And is the password in the Secret correct?"

    def reset(self) -> None:
        """Remove the namespace, the nodes' configuration of the registry, and the images."""
        if found := Namespace.find(self.cluster, self.namespace):
            found.undo()
        pulls.forget(self.cluster)
        super().reset()


class Reclaim(_Pushed):
    """Disk space that a deleted image no longer needs."""

    name = f"{CHAPTER}/reclaim"
    repository = "exercise/reclaim"
    made = "exercise-reclaim"
    task = (
        f"Push two images: `{repository}:keep`, and `{repository}:drop` with a layer of {BIG} random bytes. Then remove `drop`. "
        "In the end, every blob on the registry's disk must belong to an image, and `keep` must still be complete."
    )
    hints = (
        "Deleting a manifest removes only a reference to the layers. Which step removes the layers?",
        "Garbage collection removes the blobs to which no manifest refers. You have to start it, and nothing may be "
        "pushed while it runs.",
        "Push both images. Then call `storage.delete(registry, '…:drop')` and `storage.collect(registry)`.",
    )
    solution_text = (
        f"{BEGIN}"
        'BASE = "ARG ALPINE\\nFROM ${ALPINE}\\n"\n'
        f'DROP = BASE + "RUN head -c {BIG} /dev/urandom > /big\\n"\n'
        'KEEP = BASE + "RUN head -c 9 /dev/urandom > /small\\n"\n'
        'for tag, dockerfile in {"keep": KEEP, "drop": DROP}.items():\n'
        f'    image = kit.builds.build(cluster.engine, dockerfile, f"{made}:{{tag}}")\n'
        f'    private.client.push(registry, image, f"{repository}:{{tag}}")\n'
        f'private.storage.delete(registry, "{repository}:drop")\n'
        "private.storage.collect(registry)"
    )

    def judge(self, private: Private, tags: list[str]) -> Outcome:
        """Verify that `keep` is the only tag and complete, no blob on disk is unused, and blobs of another image were collected."""
        if "keep" not in tags:
            return failed(f"its tags are {', '.join(tags)}", look="the tag `keep`: this image must stay")
        if "drop" in tags:
            return failed(f"its tags are {', '.join(tags)}", look="the tag `drop`: delete the image that it names")
        if left := storage.unused(private):
            size = storage.size(private) / 1e6
            return failed(
                f"{len(left)} blobs on disk belong to no image, such as {left[0][:19]}…; the registry's storage has {size:.1f} MB",
                look="the registry's disk: `registry garbage-collect` removes blobs to which no manifest refers",
            )
        try:
            storage.whole(private, f"{self.repository}:keep")
        except RegistryRefused as e:
            return failed("keep cannot be pulled", *e.observed[-2:], look="`keep`: did you remove more than `drop`?")
        gone = fresh(self._before(private), storage.collected(private, self.repository))
        if not gone:
            return failed(
                "its only tag is keep, but no blob of this repository was collected since the last reset",
                look="the first part of the task: also push `drop`; then delete it, and remove the layers that only it needed",
            )
        return passed(
            "its only tag is keep, and this image can be pulled",
            f"{len(gone)} blobs of another image were collected",
            f"the registry has {storage.size(private) / 1e6:.1f} MB on disk, all in use",
        )

    def reset(self) -> None:
        """Delete and collect the images; a file in the registry's container lists the blobs that do not count for the next attempt."""
        super().reset()
        if private := find(self.cluster):
            with suppress(ClusterError):  # nothing was ever pushed to this registry
                storage.collect(private)
            spent = json.dumps(storage.collected(private, self.repository)).encode()
            storage.keep(private, SPENT, spent)

    def _before(self, private: Private) -> dict[str, float]:
        """The blobs that were collected before the last reset."""
        return dict(json.loads(storage.kept(private, SPENT) or b"{}"))


class Signed(_Pushed):
    """An image that the gate admits."""

    name = f"{CHAPTER}/signed"
    repository = "exercise/signed"
    made = "exercise-signed"
    task = (
        f"Push an image as `{repository}:1`, so that `kit.private_registry.signing.signer(registry).admit(...)` admits it. "
        "This gate requires a signature, by the registry's key, of the image that the tag names now."
    )
    hints = (
        "A signature belongs to the content, not to the tag. What does this mean for the order of the steps?",
        "A signature belongs to a digest. Sign the image after the push, and do not push to the tag again afterwards.",
        "Call `client.push(registry, image, '…:1')`, then `signing.signer(registry).sign('…:1')`.",
    )
    solution_text = (
        f"{BEGIN}"
        'DOCKERFILE = "ARG ALPINE\\nFROM ${ALPINE}\\nRUN head -c 9 /dev/urandom > /mine\\n"\n'
        f'private.client.push(registry, kit.builds.build(cluster.engine, DOCKERFILE, "{made}:1"), "{repository}:1")\n'
        f'private.signing.signer(registry).sign("{repository}:1")'
    )

    def judge(self, private: Private, tags: list[str]) -> Outcome:
        """Test whether the gate admits the image; if not, compare the signed digests with the digest that the tag names now."""
        if "1" not in tags:
            return failed(f"its tags are {', '.join(tags)}", look="the tag: it must be 1")
        try:
            admitted = signing.signer(private).admit(f"{self.repository}:1")
        except RegistryRefused as e:
            return failed(*e.observed[-1:], *self._others(private, tags), look=self._why(tags))
        return passed(f"the gate admits {admitted[:40]}…")

    def _others(self, private: Private, tags: list[str]) -> list[str]:
        now = signing.pin(private, f"{self.repository}:1").partition("@")[2]
        signed = [tag.replace("-", ":", 1) for tag in tags if tag.startswith("sha256-")]
        return [f"the tag names {now[:19]}…, but the signature is of {digest[:19]}…" for digest in signed]

    def _why(self, tags: list[str]) -> str:
        if any(tag.startswith("sha256-") for tag in tags):
            return "the digests: the tag no longer names the image that was signed"
        return "the signature: this repository has none"


def fresh(before: Mapping[str, float], now: Mapping[str, float]) -> set[str]:
    """Folders that have lost their link since then: folders that did not exist before, or have changed again."""
    return {name for name, changed in now.items() if before.get(name) != changed}


def registries(secret: Object) -> list[str]:
    """The registries for which a Secret has a login."""
    text = base64.b64decode(secret.get("data", {}).get(".dockerconfigjson", "")) or b"{}"
    return list(json.loads(text).get("auths", {}))
