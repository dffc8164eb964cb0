"""Exercises of 2.5-registry: the checks look into the private registry, and at a pod that pulls from it."""

from __future__ import annotations

import base64
import json
from abc import abstractmethod

from kitlib.cluster import Space
from kitlib.errors import RegistryRefused
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.kube import Object
from kitlib.measure import builds
from kitlib.private import Private, files, find, nodes, signing, storage

CHAPTER = "2.5-registry"
BIG = 20_000_000  # bytes
IMPORTS = "from kitlib.private import client, ensure, nodes, signing, storage\nregistry = ensure(cluster)\n"


class _Pushed(Exercise):
    """An exercise on a repository of the private registry."""

    repository: str
    made: str  # images of the engine's, for `builds.remove`

    def check(self) -> Outcome:
        private = find(self.cluster)
        if private is None or not (tags := storage.tags(private, self.repository)):
            return NOT_ATTEMPTED
        return self.judge(private, tags)

    @abstractmethod
    def judge(self, private: Private, tags: list[str]) -> Outcome:
        """Judge a repository that has tags."""

    def reset(self) -> None:
        builds.remove(self.cluster.engine, self.made)
        if private := find(self.cluster):
            storage.clear(private, self.repository)


class Pull(_Pushed):
    """A pod that may pull."""

    name = f"{CHAPTER}/pull"
    repository = "exercise/pull"
    made = "exercise-pull"
    space = "exercise-pull"
    task = (
        f"Push an image as `{repository}:1` to the private registry, and have a pod called `answer` run it in the namespace "
        f'`cluster.space("{space}")`. On the nodes the image is called `{files.HOST}/{repository}:1`. '
        "`client.push`, `nodes.trust`, `nodes.secret` and `nodes.pod` are the parts that the chapter used."
    )
    first_hint = "Three things have to know of the registry: the node its address and authority, the pod a Secret, the Secret a password."
    solution_text = (
        f"{IMPORTS}"
        'DOCKERFILE = "ARG ALPINE\\nFROM ${ALPINE}\\nRUN head -c 9 /dev/urandom > /mine\\n"\n'
        f'client.push(registry, kit.measure.builds.build(cluster.engine, DOCKERFILE, "{made}:1"), "{repository}:1")\n'
        "nodes.trust(registry)\n"
        f'space = cluster.space("{space}")\n'
        "space.apply(nodes.secret(registry))\n"
        f'nodes.outcome(space, nodes.pod("answer", "{repository}:1", secret=nodes.SECRET))'
    )

    def judge(self, private: Private, tags: list[str]) -> Outcome:
        space = Space.find(self.cluster, self.space)
        pod = self.cluster.kube.get("Pod", "answer", space.name) if space else None
        if space is None or pod is None:
            return NOT_ATTEMPTED
        image = pod["spec"]["containers"][0]["image"]
        if not image.startswith(f"{files.HOST}/{self.repository}"):
            return failed(f"its image is {image}", look=f"the image's name: it has to come from {files.HOST}")
        reason, said = nodes.waiting(pod)
        if pod["status"].get("phase") != "Running":
            return failed(f"{reason}: {said}", look=self._why(space, pod))
        return passed(f"the pod runs {image}", f"the registry on {private.address} has the tags {', '.join(tags)}")

    def _why(self, space: Space, pod: Object) -> str:
        """Where to look when the image is refused."""
        names = [entry["name"] for entry in pod["spec"].get("imagePullSecrets", [])]
        secrets = [s for name in names if (s := self.cluster.kube.get("Secret", name, space.name))]
        if not secrets:
            return "imagePullSecrets: the pod names no Secret that is in its namespace"
        hosts = {host for secret in secrets for host in registries(secret)}
        if files.HOST not in hosts:
            return f"the Secret: it has a login for {', '.join(sorted(hosts))}, and the image is on {files.HOST}"
        return "the node: does it know the registry (certs.d), and is the Secret's password the registry's?"

    def reset(self) -> None:
        if found := Space.find(self.cluster, self.space):
            found.undo()
        nodes.forget(self.cluster)
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
    first_hint = (
        "Deleting a manifest takes away a reference. What takes away the layers? (Here nobody else pushes meanwhile.)"
    )
    solution_text = (
        f"{IMPORTS}"
        'BASE = "ARG ALPINE\\nFROM ${ALPINE}\\n"\n'
        f'DROP = BASE + "RUN head -c {BIG} /dev/urandom > /big\\n"\n'
        'KEEP = BASE + "RUN head -c 9 /dev/urandom > /small\\n"\n'
        'for tag, dockerfile in {"keep": KEEP, "drop": DROP}.items():\n'
        f'    image = kit.measure.builds.build(cluster.engine, dockerfile, f"{made}:{{tag}}")\n'
        f'    client.push(registry, image, f"{repository}:{{tag}}")\n'
        f'storage.delete(registry, "{repository}:drop")\n'
        "storage.collect(registry)"
    )

    def judge(self, private: Private, tags: list[str]) -> Outcome:
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
        return passed(
            "its only tag is keep", f"the registry has {storage.size(private) / 1e6:.1f} MB on disk, all in use"
        )


class Signed(_Pushed):
    """An image that the gate lets pass."""

    name = f"{CHAPTER}/signed"
    repository = "exercise/signed"
    made = "exercise-signed"
    task = (
        f"Push an image as `{repository}:1`, such that `signing.signer(registry).admit(...)` lets it pass: the gate asks for a signature "
        "by the registry's key of what the tag names now."
    )
    first_hint = "A signature is of a digest. Sign after the push, and push no more after you have signed."
    solution_text = (
        f"{IMPORTS}"
        'DOCKERFILE = "ARG ALPINE\\nFROM ${ALPINE}\\nRUN head -c 9 /dev/urandom > /mine\\n"\n'
        f'client.push(registry, kit.measure.builds.build(cluster.engine, DOCKERFILE, "{made}:1"), "{repository}:1")\n'
        f'signing.signer(registry).sign("{repository}:1")'
    )

    def judge(self, private: Private, tags: list[str]) -> Outcome:
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


def registries(secret: Object) -> list[str]:
    """The registries for which a Secret has a login."""
    text = base64.b64decode(secret.get("data", {}).get(".dockerconfigjson", "")) or b"{}"
    return list(json.loads(text).get("auths", {}))
