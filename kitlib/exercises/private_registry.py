"""Exercises of 2.5-registry: the checks inspect the private registry, and a pod that pulls from it."""

from __future__ import annotations

import base64
import json
from abc import abstractmethod
from collections.abc import Mapping
from contextlib import suppress

from kitlib.cluster import local_registry
from kitlib.cluster.bound import Namespace
from kitlib.errors import ClusterError, RegistryRefused, WaitTimeout
from kitlib.exercises import place, terminal
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.exercises.built import DockerExercise
from kitlib.host import identity
from kitlib.kube.client import Object
from kitlib.private_registry import Private, ensure, files, find, pulls, server, signing, storage
from kitlib.workloads import builds

CHAPTER = "2.5-registry"
BIG = 20_000_000  # bytes
SPENT = "reclaim.json"  # beside the registry's configuration
PUSH = """\
mkdir -p "$CLIENT"
cp config.json "$CLIENT"
docker --config "$CLIENT" login --username kit --password-stdin "$REGISTRY" < "$REGISTRY_FILES/password"
docker tag "$ALPINE" "$REGISTRY/exercise/pull:1"
docker --config "$CLIENT" push --quiet "$REGISTRY/exercise/pull:1"
docker image rm "$REGISTRY/exercise/pull:1"
"""
NAMED = """\
sed -i '/^spec:$/r /dev/stdin' pull.yaml <<'YAML'
  imagePullSecrets:
    - name: regcred
YAML
"""
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
        engine = self.cluster.engine
        builds.remove(engine, self.made)
        if private := find(self.cluster):
            for tag in storage.tags(private, self.repository):
                if engine.inspect(name := f"{private.address}/{self.repository}:{tag}"):
                    engine.remove(name)
            storage.clear(private, self.repository)


class Pull(_Pushed, DockerExercise):
    """A pod that is allowed to pull from the private registry."""

    name = f"{CHAPTER}/pull"
    repository = "exercise/pull"
    made = "exercise-pull"
    space = "exercise-pull"
    secret = "regcred"  # noqa: S105  (the name of a Secret)
    seconds = 60.0
    task = (
        f"Push an image to the private registry as `{repository}:1`, for example `$ALPINE`. `pull.yaml` has a Pod of this image: `answer`, "
        f"in the namespace `kit-{space}`. On the nodes, the image is called `{files.HOST}/{repository}:1`. Create a Secret `{secret}` "
        "for the pull. Then complete the file so that the pod names the Secret, and apply it. The check looks at the pod."
    )
    hints = (
        "The nodes know the address and the certificate authority of the registry since the section *Pods that pull*. They do not know "
        "its password. Which object brings a password to a pod, and which field of the pod names it?",
        "`docker login`, `docker tag` and `docker push` bring the image to `$REGISTRY`, as in the first section *Hands on*. "
        "`kubectl create secret docker-registry` makes the Secret, and `imagePullSecrets` in the `spec` of the pod names it. The registry "
        "in the Secret must be the one in the name of the image on the nodes.",
        "As in *Hands on: pods of a private image*, replace the value of `$REGISTRY` in `$CLIENT/config.json` by "
        f"`{files.HOST}`, and make the Secret from this file. Add `imagePullSecrets:` and below it `- name: {secret}` to the `spec` of the "
        "pod. This field of a pod cannot change: delete a pod that exists, then apply the file.",
    )
    solution_text = f"""\
{PUSH}\
sed "s/$REGISTRY/{files.HOST}/" "$CLIENT/config.json" > "$CLIENT/pull.json"
docker --config "$CLIENT" logout "$REGISTRY"
{terminal.space(space)}\
kubectl -n kit-{space} delete secret {secret} --ignore-not-found
kubectl -n kit-{space} create secret docker-registry {secret} --from-file="$CLIENT/pull.json"
rm "$CLIENT/pull.json"
{NAMED}\
kubectl apply -f pull.yaml
kubectl -n kit-{space} wait --for=condition=Ready pod/answer --timeout=60s"""

    @property
    def settings(self) -> str:
        """As the chapter sets them: the image, the registry's address, the folder with its password, and one for docker's settings."""
        container = server.container_name(identity.cluster_name())
        return (
            super().settings
            + f"REGISTRY=$(docker port {container} {local_registry.PORT})\n"
            + 'REGISTRY_FILES="${KUBECONFIG%/*}/private"\n'
            + 'CLIENT="$REGISTRY_FILES/client"\n'
        )

    def prepare(self) -> None:
        """Also start the registry and let the nodes trust it, as the chapter does."""
        super().prepare()
        pulls.trust(ensure(self.cluster))

    def judge(self, private: Private, tags: list[str]) -> Outcome:
        """Verify that the pod's image comes from the registry, and that the pod runs."""
        namespace = place.find(self.cluster, self.space)
        pod = self.cluster.kube.get("Pod", "answer", namespace.name) if namespace else None
        if namespace is None or pod is None:
            return NOT_ATTEMPTED
        image = pod["spec"]["containers"][0]["image"]
        if not image.startswith(f"{files.HOST}/{self.repository}"):
            return failed(f"the pod's image is {image}", look=f"its name: the image must come from {files.HOST}")
        with suppress(WaitTimeout):
            pod = pulls.decided(namespace, "answer", seconds=self.seconds) or pod
        phase = pod["status"].get("phase")
        if phase != "Running":
            return failed(": ".join(filter(None, pulls.waiting(pod))) or phase, look=self._why(namespace, pod))
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
        return "the password in the Secret: is it correct? And the node: does it know the registry (certs.d)?"

    def reset(self) -> None:
        """Remove the namespace, and the images from the nodes, the engine and the registry; the nodes still know the registry."""
        place.clear(self.cluster, self.space, ["answer", self.secret])
        pulls.unload(self.cluster, self.repository)
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
