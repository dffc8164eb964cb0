"""Bearer tokens as distribution takes them, signed by an issuer of our own.

A token is a JSON Web Token that says who may do what until when (https://distribution.github.io/distribution/spec/auth/jwt/): the
registry asks nobody, it checks the signature and the clock.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from kitlib import redact
from kitlib.pki import Authority

SERVICE, ISSUER = "kit", "issuer.kit.local"
AUTH = {
    "token": {
        "realm": f"https://{ISSUER}/token",  # where a client would fetch one; ours has one already
        "service": SERVICE,
        "issuer": ISSUER,
        "rootcertbundle": "/etc/private/issuer.crt",
    }
}
LEEWAY = 60  # seconds after its end for which distribution takes a token, because clocks differ
LIFETIME = 300  # seconds, as Docker Hub's
CATALOG = [{"type": "registry", "class": "", "name": "catalog", "actions": ["*"]}]


@dataclass(frozen=True)
class Issuer:
    """Signs tokens; a registry that has `files` believes it."""

    authority: Authority = field(default_factory=Authority)

    @property
    def files(self) -> dict[str, bytes]:
        return {"issuer.crt": self.authority.certificate.encode()}

    def token(self, *, age: float = 0) -> str:
        """A token for the list of repositories that was issued `age` seconds ago, for five minutes; masked from here on."""
        issued = int(time.time() - age)
        pair = self.authority.issue(ISSUER)
        chain = x509.load_pem_x509_certificates(pair["tls.crt"])
        header = {"typ": "JWT", "alg": "ES256", "x5c": [_der(certificate) for certificate in chain]}
        times = {"iat": issued, "nbf": issued, "exp": issued + LIFETIME}
        claims = {"iss": ISSUER, "sub": "kit", "aud": SERVICE, "jti": uuid.uuid4().hex, **times, "access": CATALOG}
        signed = f"{_part(header)}.{_part(claims)}"
        made = f"{signed}.{_base64(_signature(pair['tls.key'], signed.encode()))}"
        redact.register(made)
        return made


def claims(token: str) -> dict[str, Any]:
    """What a token says, which anybody can read: it is signed, and not encrypted."""
    middle = token.split(".")[1]
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return said


def _signature(key: bytes, text: bytes) -> bytes:
    """ES256 (RFC 7518, 3.4): r and s, 32 bytes each."""
    private = serialization.load_pem_private_key(key, password=None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)  # what trustme makes
    r, s = decode_dss_signature(private.sign(text, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _der(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()


def _part(content: dict[str, Any]) -> str:
    return _base64(json.dumps(content, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
