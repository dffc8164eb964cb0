"""A certificate authority for one chapter: it exists in memory, ends with the process, and never shows a key."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

import trustme

from kitlib.kube.client import Object
from kitlib.masking import redact


@dataclass(frozen=True)
class Authority:
    """Signs certificates for any host; a client that has `certificate` trusts them."""

    _ca: trustme.CA = field(default_factory=lambda: trustme.CA(organization_name="kit"), repr=False)

    @property
    def certificate(self) -> str:
        """Its own certificate (PEM), which is public."""
        return self._ca.cert_pem.bytes().decode()

    def issue(self, *hosts: str) -> dict[str, bytes]:
        """`tls.crt` and `tls.key` (PEM): a certificate for these hosts, and its new key, masked in every output from here on."""
        issued = self._ca.issue_cert(*hosts)
        key = issued.private_key_pem.bytes()
        redact.register(key)
        return {"tls.crt": b"".join(blob.bytes() for blob in issued.cert_chain_pems), "tls.key": key}

    def secret(self, name: str, *hosts: str) -> Object:
        """A Secret with a new key and its certificate for these hosts, as Ingress and Gateway read it."""
        files = self.issue(*hosts)
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {"name": name},
            "data": {file: base64.b64encode(content).decode() for file, content in files.items()},
        }
