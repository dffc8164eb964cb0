"""Signing in by an exec plugin, as clouds and single sign-on do: a program that prints an ExecCredential.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kitlib.errors import ClusterError, CommandFailed, SetupError
from kitlib.host import proc
from kitlib.kube.credentials import bearer, failing, load

EXTENSION = "client.authentication.k8s.io/exec"
SECONDS = 60.0
EARLY = timedelta(seconds=10)  # a request also takes some time


class Plugin:
    """Runs the program once, again shortly before its credential expires, and when the server refuses it.  Threads can share it."""

    def __init__(self, said: Mapping[str, Any], cluster: Mapping[str, Any], tls: ssl.SSLContext, file: Path) -> None:
        self._said, self._cluster, self._tls, self._file = said, cluster, tls, file
        self._lock = threading.Lock()
        self._header, self._expires = "", datetime.max.replace(tzinfo=UTC)
        if said.get("interactiveMode") == "Always":
            raise ValueError(f"its plugin {said['command']} has to be asked at a terminal")
        self._run()

    def header(self) -> str:
        """The Authorization header; the program runs again first when the credential is about to expire.  Raises ClusterError."""
        with self._lock:
            if datetime.now(UTC) > self._expires - EARLY:
                self._run()
            return self._header

    def renew(self) -> bool:
        """Run the program again, and return whether it printed another credential.  Raises ClusterError."""
        with self._lock:
            before = self._header
            self._run()
            return self._header != before

    def _run(self) -> None:
        """Raises ClusterError with the plugin's own last words, or with the field that its answer lacks; never with the answer."""
        with failing(f"the answer of {self._said['command']}, by which {self._file} signs in,"):
            status = self._status(self._asked())
            if status.get("clientCertificateData"):
                load(self._tls, status["clientCertificateData"].encode(), status["clientKeyData"].encode())
            self._header = bearer(status["token"]) if status.get("token") else ""
            if until := status.get("expirationTimestamp"):
                self._expires = datetime.fromisoformat(until).astimezone(UTC)

    def _asked(self) -> str:
        command = str(self._said["command"])
        if "/" in command:
            command = str(self._file.parent.absolute() / command)
        try:
            return proc.run(
                [command, *map(str, self._said.get("args") or [])], env=self._environment(), timeout=SECONDS, group=True
            )
        except (SetupError, PermissionError) as e:
            hint = " ".join(str(self._said.get("installHint") or f"install {command}").split())
            raise ClusterError(f"{self._file} signs in by {command}, which cannot be run here", hint=hint) from e
        except CommandFailed as e:
            raise ClusterError(
                f"{self._file} signs in by {command}, which returned {e.returncode}",
                observed=e.observed,
                hint=f"kubectl --kubeconfig {self._file} get nodes",
            ) from e

    def _environment(self) -> dict[str, str]:
        spec: dict[str, Any] = {"interactive": False}
        if self._said.get("provideClusterInfo"):
            named = {e["name"]: e["extension"] for e in self._cluster.get("extensions") or []}
            known = {k: v for k, v in self._cluster.items() if k not in ("extensions", "certificate-authority")}
            spec["cluster"] = {**known, "config": named.get(EXTENSION)}
        info = {"apiVersion": self._said.get("apiVersion"), "kind": "ExecCredential", "spec": spec}
        given = {str(e["name"]): str(e["value"]) for e in self._said.get("env") or []}
        return {**given, "KUBERNETES_EXEC_INFO": json.dumps(info)}

    def _status(self, answer: str) -> Mapping[str, Any]:
        try:
            found = json.loads(answer)
        except ValueError:
            raise ValueError("it is no JSON") from None
        if found["kind"] != "ExecCredential" or found["apiVersion"] != self._said.get("apiVersion"):
            raise ValueError(f"it is a {found['kind']} of {found['apiVersion']}")
        status: Mapping[str, Any] = found["status"]
        if not (status.get("token") or (status.get("clientCertificateData") and status.get("clientKeyData"))):
            raise ValueError("it has no token, and no certificate with its key")
        return status
