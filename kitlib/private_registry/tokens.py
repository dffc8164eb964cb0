"""Bearer tokens as distribution accepts them, signed by an issuer of our own.

A token is a JSON Web Token with the client, its permissions and the time of expiry
(https://distribution.github.io/distribution/spec/auth/jwt/): the registry contacts no other server, it checks the signature and the clock.
"""

from __future__ import annotations

import base64
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from kitlib.masking import redact
from kitlib.private_registry.pki import Authority

SERVICE, ISSUER = "kit", "issuer.kit.local"
AUTH = {
    "token": {
        "realm": f"https://{ISSUER}/token",  # where a client would fetch a token; ours has one already
        "service": SERVICE,
        "issuer": ISSUER,
        "rootcertbundle": "/etc/private/issuer.crt",
    }
}
LEEWAY = 60  # seconds after its expiry for which distribution accepts a token, because clocks differ
LIFETIME = 300  # seconds, as Docker Hub's
CATALOG = [{"type": "registry", "class": "", "name": "catalog", "actions": ["*"]}]


@dataclass(frozen=True)
class Issuer:
    """Signs tokens; a registry that has `files` trusts them."""

    authority: Authority = field(default_factory=Authority)

    @property
    def files(self) -> dict[str, bytes]:
        """The files that the registry needs to check tokens: name → content."""
        return {"issuer.crt": self.authority.certificate.encode()}

    def token(self, *, age: float = 0) -> str:
        """A token for the list of repositories that was issued `age` seconds ago, for five minutes; masked from here on."""
        issued = int(time.time() - age)
        pair = self.authority.issue(ISSUER)
        chain = x509.load_pem_x509_certificates(pair["tls.crt"])
        times = {"iat": issued, "nbf": issued, "exp": issued + LIFETIME}
        claims = {"iss": ISSUER, "sub": "kit", "aud": SERVICE, "jti": uuid.uuid4().hex, **times, "access": CATALOG}
        made = jwt.encode(claims, pair["tls.key"], "ES256", headers={"x5c": [_der(link) for link in chain]})
        redact.register(made)
        return made


def claims(token: str) -> dict[str, Any]:
    """The claims of a token, which every reader can see: it is signed, not encrypted."""
    said: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return said


def _der(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
