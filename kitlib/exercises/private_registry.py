"""Exercises of 2.5-registry: the checks look into the private registry, and at a pod that pulls from it."""

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
        """Look whether the repository has tags, then judge it."""
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
    """A pod that may pull."""

    name = f"{CHAPTER}/pull"
    repository = "exercise/pull"
    made = "exercise-pull"
    namespace = "exercise-pull"
    task = (
        f"Push an image as `{repository}:1` to the private registry, and have a pod called `answer` run it in the namespace "
        f'`cluster.namespace("{namespace}")`. On the nodes the image is called `{files.HOST}/{repository}:1`. '
        "`client.push`, `pulls.trust`, `pulls.secret` and `pulls.pod` of `kit.private_registry` are the parts that the chapter used."
    )
    hints = (
        "Three things have to know of the registry: the node its address and authority, the pod a Secret, the Secret a "
        "password.",
        "`client.push` sends the image, `pulls.trust` prepares the nodes, `pulls.secret` writes the Secret, and "
        "`pulls.pod` a pod that names it in `imagePullSecrets`.",
        "In this order: push, `pulls.trust(registry)`, `namespace.apply(pulls.secret(registry))`, then apply "
        "`pulls.pod('answer', …, secret=pulls.SECRET)`.",
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
        """Look whether the pod's image is the one in the registry, and the pod runs."""
        namespace = Namespace.find(self.cluster, self.namespace)
        pod = self.cluster.kube.get("Pod", "answer", namespace.name) if namespace else None
        if namespace is None or pod is None:
            return NOT_ATTEMPTED
        image = pod["spec"]["containers"][0]["image"]
        if not image.startswith(f"{files.HOST}/{self.repository}"):
            return failed(f"its image is {image}", look=f"the image's name: it has to come from {files.HOST}")
        reason, said = pulls.waiting(pod)
        if pod["status"].get("phase") != "Running":
            return failed(f"{reason}: {said}", look=self._why(namespace, pod))
        return passed(f"the pod runs {image}", f"the registry on {private.address} has the tags {', '.join(tags)}")

    def _why(self, namespace: Namespace, pod: Object) -> str:
        """Where to look when the image is refused."""
        names = [entry["name"] for entry in pod["spec"].get("imagePullSecrets", [])]
        secrets = [s for name in names if (s := self.cluster.kube.get("Secret", name, namespace.name))]
        if not secrets:
            return "imagePullSecrets: the pod names no Secret that is in its namespace"
        hosts = {host for secret in secrets for host in registries(secret)}
        if files.HOST not in hosts:
            return f"the Secret: it has a login for {', '.join(sorted(hosts))}, and the image is on {files.HOST}"
        return "the node: does it know the registry (certs.d), and is the Secret's password the registry's?"

    def reset(self) -> None:
        """Remove the namespace, the nodes' trust in the registry, and the images."""
        if found := Namespace.find(self.cluster, self.namespace):
            found.undo()
        pulls.forget(self.cluster)
        super().reset()


class Reclaim(_Pushed):
    """Bytes that come back."""

    name = f"{CHAPTER}/reclaim"
    repository = "exercise/reclaim"
    made = "exercise-reclaim"
    task = (
        f"Push two images: `{repository}:keep`, and `{repository}:drop` with a layer of {BIG} random bytes. Then give up `drop` in such a "
        "way that the registry's disk has nothing left that no image needs, and `keep` is still whole."
    )
    hints = (
        "Deleting a manifest takes away a reference. What takes away the layers?",
        "The registry removes what no manifest refers to only when it is told to collect. Nothing else is pushed "
        "meanwhile.",
        "Push both images; `storage.delete(registry, '…:drop')`; `storage.collect(registry)`.",
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
        """Look whether `keep` is the only tag and whole, no blob on disk is unused, and blobs of another image were collected."""
        if "keep" not in tags:
            return failed(f"its tags are {', '.join(tags)}", look="the tag `keep`: this image has to stay")
        if "drop" in tags:
            return failed(f"its tags are {', '.join(tags)}", look="the tag `drop`: delete what it names")
        if left := storage.unused(private):
            size = storage.size(private) / 1e6
            return failed(
                f"{len(left)} blobs are on disk that no image needs, like {left[0][:19]}…; all together have {size:.1f} MB",
                look="the registry's disk: `registry garbage-collect` removes what no manifest refers to",
            )
        try:
            storage.whole(private, f"{self.repository}:keep")
        except RegistryRefused as e:
            return failed("keep cannot be pulled", *e.observed[-2:], look="`keep`: was more removed than `drop`?")
        gone = fresh(self._before(private), storage.collected(private, self.repository))
        if not gone:
            return failed(
                "its only tag is keep, and no blob of this repository was collected since the last reset",
                look="the first part of the task: push `drop` as well; then delete it, and remove the layers that only it needed",
            )
        return passed(
            "its only tag is keep, which can be pulled",
            f"{len(gone)} blobs of another image were collected",
            f"the registry has {storage.size(private) / 1e6:.1f} MB on disk, all in use",
        )

    def reset(self) -> None:
        """Delete and collect the images; a file in the registry's container keeps what does not count for the next attempt."""
        super().reset()
        if private := find(self.cluster):
            with suppress(ClusterError):  # nothing was ever pushed to this registry
                storage.collect(private)
            spent = json.dumps(storage.collected(private, self.repository)).encode()
            storage.keep(private, SPENT, spent)

    def _before(self, private: Private) -> dict[str, float]:
        """What was collected before the last reset."""
        return dict(json.loads(storage.kept(private, SPENT) or b"{}"))


class Signed(_Pushed):
    """An image that the gate lets pass."""

    name = f"{CHAPTER}/signed"
    repository = "exercise/signed"
    made = "exercise-signed"
    task = (
        f"Push an image as `{repository}:1`, such that `kit.private_registry.signing.signer(registry).admit(...)` lets it pass: "
        "the gate asks for a signature by the registry's key of what the tag names now."
    )
    hints = (
        "A signature belongs to the content and not to the tag. What follows for the order of the steps?",
        "A signature is of a digest. Sign after the push, and push no more after you have signed.",
        "`client.push(registry, image, '…:1')`, then `signing.signer(registry).sign('…:1')`.",
    )
    solution_text = (
        f"{BEGIN}"
        'DOCKERFILE = "ARG ALPINE\\nFROM ${ALPINE}\\nRUN head -c 9 /dev/urandom > /mine\\n"\n'
        f'private.client.push(registry, kit.builds.build(cluster.engine, DOCKERFILE, "{made}:1"), "{repository}:1")\n'
        f'private.signing.signer(registry).sign("{repository}:1")'
    )

    def judge(self, private: Private, tags: list[str]) -> Outcome:
        """Ask the gate whether it admits the image; if not, compare the signed digests with the one that the tag names now."""
        if "1" not in tags:
            return failed(f"its tags are {', '.join(tags)}", look="the tag: it has to be 1")
        try:
            admitted = signing.signer(private).admit(f"{self.repository}:1")
        except RegistryRefused as e:
            return failed(*e.observed[-1:], *self._others(private, tags), look=self._why(tags))
        return passed(f"the gate admits {admitted[:40]}…")

    def _others(self, private: Private, tags: list[str]) -> list[str]:
        now = signing.pin(private, f"{self.repository}:1").partition("@")[2]
        signed = [tag.replace("-", ":", 1) for tag in tags if tag.startswith("sha256-")]
        return [f"the tag names {now[:19]}…, signed is {digest[:19]}…" for digest in signed]

    def _why(self, tags: list[str]) -> str:
        if any(tag.startswith("sha256-") for tag in tags):
            return "the digests: what was signed is not what the tag names now"
        return "the signature: this repository has none"


def fresh(before: Mapping[str, float], now: Mapping[str, float]) -> set[str]:
    """Folders that lost their link since: those that were not there before, or have changed again."""
    return {name for name, changed in now.items() if before.get(name) != changed}


def registries(secret: Object) -> list[str]:
    """The registries for which a Secret has a login."""
    text = base64.b64decode(secret.get("data", {}).get(".dockerconfigjson", "")) or b"{}"
    return list(json.loads(text).get("auths", {}))
