"""Signatures by cosign with a key pair: they prove the signer, not the time; no transparency log is used, because it needs the internet."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from kitlib.errors import RegistryRefused
from kitlib.host import proc, tools
from kitlib.masking import redact
from kitlib.private_registry.client import SECONDS, logged_in
from kitlib.private_registry.files import write
from kitlib.private_registry.server import Private


@dataclass(frozen=True)
class Signer:
    """A key pair beside the registry's password, removed with it; the private key is encrypted."""

    private: Private

    @property
    def folder(self) -> Path:
        """The folder with the signer's keys and configuration."""
        return self.private.folder / "signing"

    def sign(self, name: str) -> str:
        """Sign the image behind a tag, by its digest: a signature of a tag would prove nothing.  Returns repository@digest."""
        pinned = pin(self.private, name)
        words = (
            "sign",
            "--yes",
            "--key",
            self.folder / "cosign.key",
            "--tlog-upload=false",
            "--use-signing-config=false",
        )
        password = (self.folder / "password").read_text()
        _cosign(self.private, *words, f"{self.private.address}/{pinned}", password=password)
        return pinned

    def admit(self, name: str) -> str:
        """The gate before a deployment: repository@digest of an image that this key signed.

        Raises RegistryRefused with cosign's message for any other.  Deploy the returned name: a tag can be moved after the check.
        """
        pinned = pin(self.private, name)
        words = ("verify", "--key", self.folder / "cosign.pub", "--insecure-ignore-tlog=true")
        _cosign(self.private, *words, f"{self.private.address}/{pinned}")
        return pinned


def signer(private: Private) -> Signer:
    """The registry's key pair, created when there is none."""
    made = Signer(private)
    if not (made.folder / "cosign.pub").exists():
        made.folder.mkdir(mode=0o700, exist_ok=True)
        password = secrets.token_urlsafe(24)
        redact.register(password)
        write(made.folder / "password", password)
        proc.run([_program(), "generate-key-pair"], cwd=made.folder, env={"COSIGN_PASSWORD": password}, stdin="y\n")
    return made


def pin(private: Private, name: str) -> str:
    """repository@digest of the image that a tag names now.  Raises RegistryRefused when there is no such tag."""
    with logged_in(private) as client:
        return f"{name.rpartition(':')[0]}@{client.crane('digest', f'{private.address}/{name}').strip()}"


def _cosign(private: Private, *words: str | Path, password: str = "") -> str:
    with logged_in(private) as client:
        env = {**client.environment, "COSIGN_PASSWORD": password}
        return proc.run([_program(), *words], env=env, timeout=SECONDS, error=RegistryRefused, group=True)


def _program() -> Path:
    return tools.build("cosign") / "cosign"
