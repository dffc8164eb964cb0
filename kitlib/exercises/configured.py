"""An exercise of 3.2-deployment: settings from a ConfigMap and a Secret; a change of the message arrives without a restart."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Mapping
from typing import Any

from kitlib.exercises.base import Outcome, failed, passed
from kitlib.exercises.deployed import Deployed, environment, pods, uid
from kitlib.kube.client import Object
from kitlib.measure.workloads import reload

WINDOW = 30.0  # seconds: the annotation makes the kubelet look at once
PERIOD = 1.0  # seconds between two looks at a pod
SHOWN = 12  # hex digits of the fingerprint that the program shows
MESSAGE, KEY = "motd", "api-key"


class Configured(Deployed):
    """Keep settings outside the Deployment."""

    name = "3.2-deployment/configured"
    instance = "welcome"
    task = (
        "`welcome.yaml` runs a program without settings, as Deployment `welcome` in the namespace `kit-welcome`. Give the program a "
        f"message from the key `{MESSAGE}` of a ConfigMap `welcome`. A new message must reach the running program without a restart. "
        f"Also give it an API key from the key `{KEY}` of a Secret `welcome`. The Deployment must not contain the value of the API "
        "key. The check changes the message, and reads `GET /settings` of each pod."
    )
    hints = (
        "A container can get the values of a ConfigMap in two ways. In which of them can a value change while the program runs? "
        "`configured.yaml` has both.",
        "The environment is fixed when a process starts. The kubelet updates the files of a mounted ConfigMap. `CATALOG_MOTD_FILE` "
        "tells the program where the message is. `CATALOG_API_KEY` comes from the Secret by a `secretKeyRef`.",
        "Write the values into files called `motd` and `api-key`. `kubectl -n kit-welcome create configmap welcome --from-file=motd` and "
        "`kubectl -n kit-welcome create secret generic welcome --from-file=api-key` create the two objects. Mount the ConfigMap as a "
        "volume, without `subPath`, and set `CATALOG_MOTD_FILE` to the path of its file.",
    )
    solution_text = """\
kubectl create namespace kit-welcome --dry-run=client -o yaml | kubectl apply -f -
printf 'hello' > motd
printf 'dummy-key' > api-key
kubectl -n kit-welcome create configmap welcome --from-file=motd --dry-run=client -o yaml | kubectl apply -f -
kubectl -n kit-welcome create secret generic welcome --from-file=api-key --dry-run=client -o yaml | kubectl apply -f -
kubectl apply -f welcome.yaml
kubectl -n kit-welcome patch deployment welcome --patch-file /dev/stdin <<'YAML'
spec:
  template:
    spec:
      volumes:
        - name: config
          configMap: {name: welcome}
      containers:
        - name: catalog
          volumeMounts:
            - {name: config, mountPath: /etc/catalog, readOnly: true}
          env:
            - {name: CATALOG_MOTD_FILE, value: /etc/catalog/motd}
            - name: CATALOG_API_KEY
              valueFrom: {secretKeyRef: {name: welcome, key: api-key}}
YAML
kubectl -n kit-welcome rollout status deployment/welcome --timeout=60s"""

    def judge(self, deployment: Object) -> Outcome:
        """Look for ConfigMap and Secret, compare the program's API key with the Secret, then change the message and look for it."""
        where = self.namespace.name
        config = self.cluster.kube.get("ConfigMap", self.instance, where)
        secret = self.cluster.kube.get("Secret", self.instance, where)
        if MESSAGE not in (config or {}).get("data", {}) or KEY not in (secret or {}).get("data", {}):
            return failed(
                f"in {where}, ConfigMap/welcome with the key {MESSAGE} or Secret/welcome with the key {KEY} is missing",
                look="`kubectl -n kit-welcome get configmap,secret`: both are called welcome",
            )
        assert config and secret  # they have the keys
        return self.settled(lambda: self._secret(deployment, secret) or self._message(deployment, config))

    def _secret(self, deployment: Object, secret: Object) -> Outcome | None:
        """A failure if the API key is wrong, else None."""
        mark = hashlib.sha256(base64.b64decode(secret["data"][KEY])).hexdigest()[:SHOWN]
        if "value" in environment(deployment).get("CATALOG_API_KEY", {}):
            return failed(
                "CATALOG_API_KEY has a value in the Deployment",
                look="the value of the key: every user who can read the Deployment can read it there",
            )
        shown = {str(found["api_key"]["sha256"]) for found in self._settings(deployment).values()}
        if shown != {mark}:
            return failed(
                f"the fingerprint of the Secret is {mark}, that of the program's key is {' and '.join(shown)}",
                look="`secretKeyRef`: is CATALOG_API_KEY from the Secret, and did the pods start after the last change of the Secret?",
            )
        return None

    def _message(self, deployment: Object, config: Object) -> Outcome:
        """Change the message, look for it in the program, and restore the old one."""
        changed = f"changed at {time.time():.0f}"
        before = {uid(pod) for pod in pods(self.namespace, deployment)}
        self._write(deployment, changed)
        try:
            found = self._arrived(deployment, changed)
        finally:
            self._write(deployment, config["data"][MESSAGE])
        same = {uid(pod) for pod in pods(self.namespace, deployment)} == before
        return _judged([settings["motd"] for settings in found.values()], changed, same=same)

    def _write(self, deployment: Object, message: str) -> None:
        kube, where = self.cluster.kube, self.namespace.name
        kube.patch("ConfigMap", self.instance, where, {"data": {MESSAGE: message}})
        for pod in pods(self.namespace, deployment):
            reload.nudge(self.namespace, pod)

    def _arrived(self, deployment: Object, message: str) -> Mapping[str, Any]:
        """The settings of each pod, once all have the message or the window is over."""
        until = time.monotonic() + WINDOW
        while True:
            found = self._settings(deployment)
            if all(s["motd"]["file"] == message for s in found.values()) or time.monotonic() > until:
                return found
            time.sleep(PERIOD)

    def _settings(self, deployment: Object) -> dict[str, Any]:
        ready = [pod for pod in pods(self.namespace, deployment) if "deletionTimestamp" not in pod["metadata"]]
        return {uid(pod): reload.settings(self.namespace, pod) for pod in ready}


def _judged(messages: list[Any], wanted: str, *, same: bool) -> Outcome:
    """The outcome.  messages: `motd` of each pod's settings after the change."""
    files = {message["file"] for message in messages}
    saw = f"after the change, the message in the program's file is {' and '.join(sorted(map(repr, files)))}"
    if not same:
        return failed(saw, look="the pods: they were replaced, but a change must arrive without a restart")
    if None in files:
        return failed(
            saw, look="CATALOG_MOTD_FILE: the program has no file with a message, and its environment cannot change"
        )
    if files != {wanted}:
        return failed(saw, look="the source of the file: the kubelet updates only a mounted ConfigMap without subPath")
    return passed(saw, "its API key is that of the Secret")
