"""What the private registry's parts say and read, without a registry."""

import base64
import io
import json
import os
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker.errors
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from kitlib.exercises.private_registry import fresh, registries
from kitlib.masking import redact
from kitlib.measure.registry import logins, wire
from kitlib.pipelines import check
from kitlib.private_registry import files, keeper, storage, tokens

PASSWORD = "correct-horse-battery"  # noqa: S105  (of no registry)


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    redact.forget()


def test_the_registry_is_private() -> None:
    """Its configuration has TLS, a list of users, deletion, and no cache that would outlive what it says."""
    config = yaml.safe_load(files.configuration(files.HTPASSWD))

    assert set(config["http"]["tls"]) == {"certificate", "key"}
    assert "htpasswd" in config["auth"]
    assert config["storage"]["delete"] == {"enabled": True}
    assert "cache" not in config["storage"]


def test_a_login_can_be_read_and_is_masked() -> None:
    """config.json gives the password back by base64 alone; in the kit's outputs neither it nor its base64 is seen."""
    config = files.login_json(PASSWORD, "a.example", "b.example")

    assert logins.readable(config, PASSWORD) == 1
    assert logins.readable(config, "another") == 0
    assert base64.b64encode(f"{files.USER}:{PASSWORD}".encode()).decode() not in redact.mask(config)
    assert list(logins.entries(config)["registry"]) == ["a.example", "b.example"]
    assert PASSWORD not in str(logins.entries(config))


def test_a_helped_login_cannot_be_read() -> None:
    """What docker writes beside a credential helper has nothing to decode."""
    config = json.dumps({"auths": {"a.example": {}}, "credsStore": keeper.NAME})

    assert logins.readable(config, PASSWORD) == 0
    assert list(logins.entries(config)["fields"]) == ["nothing"]


def test_the_helper_speaks_the_protocol() -> None:
    """store, get, list and erase, as docker calls them: by a program that says JSON; what is not there is an error in docker's words."""
    entry = {"ServerURL": "a.example", "Username": "kit", "Secret": PASSWORD}

    def call(action: str, text: str) -> tuple[int, str]:
        done = subprocess.run([helper, action], input=text, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    with keeper.kept() as folder:
        helper = folder / f"docker-credential-{keeper.NAME}"
        empty = call("get", "a.example")
        stored = call("store", json.dumps(entry))
        found = call("get", "a.example\n")
        listed = call("list", "")
        on_disk = [file.read_text() for file in folder.iterdir() if file.is_file()]
        erased, gone = call("erase", "a.example"), call("get", "a.example")

    assert (empty, gone) == ((1, keeper.NOT_FOUND), (1, keeper.NOT_FOUND))
    assert (stored, erased) == ((0, ""), (0, ""))
    assert json.loads(found[1]) == entry
    assert json.loads(listed[1]) == {"a.example": "kit"}
    assert not any(PASSWORD in text for text in on_disk)
    assert not folder.exists()


def test_a_token_is_signed_and_has_an_end() -> None:
    """ES256 by the key of the certificate that it carries, which the issuer's authority signed; five minutes from its issue on."""
    issuer = tokens.Issuer()
    token = issuer.token(age=400)
    head, claims, signature = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split("."))
    header, said = json.loads(head), json.loads(claims)
    certificate = x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0]))
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    pair = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    key.verify(pair, token.rpartition(".")[0].encode(), ec.ECDSA(hashes.SHA256()))
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(issuer.files["issuer.crt"]))

    assert header["alg"] == "ES256"
    assert said["exp"] - said["iat"] == tokens.LIFETIME
    assert said["exp"] + tokens.LEEWAY < time.time() + 20
    assert tokens.claims(token) == said
    assert token not in redact.mask(f"Bearer {token}")


SAID = """\
2026/11/23 12:00:00 --> GET https://127.0.0.1:5000/v2/
2026/11/23 12:00:00 <-- 401 https://127.0.0.1:5000/v2/ (3ms)
2026/11/23 12:00:00 --> HEAD https://127.0.0.1:5000/v2/shop/page/blobs/sha256:0123
2026/11/23 12:00:00 --> POST https://127.0.0.1:5000/v2/shop/page/blobs/uploads/?from=a&mount=sha256%3A01&origin=x
2026/11/23 12:00:00 --> PATCH https://127.0.0.1:5000/v2/shop/page/blobs/uploads/1
"""


def test_requests_are_read_from_what_crane_says() -> None:
    """In order, without the answers; HEAD asks, PATCH uploads, a POST with `mount` mounts."""
    found = wire.Traffic(10, 20, 0.5, tuple(wire.requests(SAID)))

    assert [method for method, _ in found.requests] == ["GET", "HEAD", "POST", "PATCH"]
    assert found.values() == {"sent": 10, "received": 20, "asked": 1, "uploaded": 1, "mounted": 1, "seconds": 0.5}
    assert found.values().keys() == wire.UNITS.keys()


def test_bytes_are_counted_each_way() -> None:
    """Through the passage everything arrives, and is counted; nothing listens there afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as there:

        def answer() -> None:
            connection, _ = there.accept()
            with connection:
                got = b"".join(iter(lambda: connection.recv(4096), b""))
                connection.sendall(got * 2)

        server_thread = threading.Thread(target=answer)
        server_thread.start()
        with wire.counted(f"127.0.0.1:{there.getsockname()[1]}") as passage:
            host, port = passage.address.split(":")
            with socket.create_connection((host, int(port))) as here:
                here.sendall(b"x" * 100_000)
                here.shutdown(socket.SHUT_WR)
                back = b"".join(iter(lambda: here.recv(4096), b""))
        server_thread.join()

    assert len(back) == 200_000
    assert (passage.sent, passage.received) == (100_000, 200_000)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))


def test_a_secret_says_its_registries() -> None:
    """The exercise reads them from a Secret as the kubelet does; from one without a login: none."""
    config = files.login_json(PASSWORD, files.HOST)
    secret = {"data": {".dockerconfigjson": base64.b64encode(config.encode()).decode()}}

    assert registries(secret) == [files.HOST]
    assert registries({}) == []


@pytest.mark.parametrize(
    ("text", "whole"),
    [("node { sh 'true' }\n", True), ("stage('a') {\n  sh 'b'\n", False), ("stage('a' { }\n", False)],
    ids=["whole", "no bracket", "no parenthesis"],
)
def test_groovy_is_parsed(text: str, whole: bool) -> None:
    """The line that the grammar does not take; 0 for a text that it takes."""
    assert (check.groovy_error(text) == 0) == whole


def test_files_of_the_registry_are_for_nobody_else(tmp_path: Path) -> None:
    """Whatever the umask is, the password's file can be read by its owner alone."""
    before = os.umask(0)
    try:
        file = tmp_path / "password"
        files.write(file, PASSWORD)
    finally:
        os.umask(before)

    assert file.stat().st_mode & 0o777 == 0o600


def _repository(**folders: tuple[int, bool]) -> tarfile.TarFile:
    """A repository as the engine archives it: letter of a blob's digest -> when its folder changed, and whether its link is there."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for letter, (changed, linked) in folders.items():
            folder = tarfile.TarInfo(f"reclaim/_layers/sha256/{letter * 64}/")
            folder.type, folder.mtime = tarfile.DIRTYPE, changed
            archive.addfile(folder)
            if linked:
                archive.addfile(tarfile.TarInfo(f"{folder.name.rstrip('/')}/link"))
        for other in ("reclaim/_layers/", "reclaim/_uploads/", f"reclaim/_manifests/revisions/sha256/{'d' * 64}/"):
            folder = tarfile.TarInfo(other)
            folder.type = tarfile.DIRTYPE
            archive.addfile(folder)
    return tarfile.open(fileobj=io.BytesIO(out.getvalue()))


def test_a_collected_blob_leaves_an_empty_folder() -> None:
    """Blobs whose link is gone are found, with their times; linked ones, uploads and manifests are not."""
    found = storage.without_link(_repository(a=(7, False), b=(8, True)))

    assert found == {f"_layers/sha256/{'a' * 64}": 7}


def test_what_was_collected_in_an_earlier_attempt_does_not_count() -> None:
    """The same content that is pushed and collected again does: its folder has changed."""
    assert fresh({"a": 7, "b": 8}, {"a": 7, "b": 9, "c": 9}) == {"b", "c"}
    assert fresh({}, {}) == set()


class Disk:
    """The files of a container, as the docker package puts and gets them: as tar archives, and in chunks."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def put_archive(self, path: str, data: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for entry in archive:
                content = archive.extractfile(entry)
                assert content
                self.files[f"{path}{entry.name}"] = content.read()

    def get_archive(self, path: str) -> tuple[Iterator[bytes], object]:
        if path not in self.files:
            raise docker.errors.NotFound("no such file")
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            entry = tarfile.TarInfo(Path(path).name)
            entry.size = len(self.files[path])
            archive.addfile(entry, io.BytesIO(self.files[path]))
        data = out.getvalue()
        return (data[at : at + 100] for at in range(0, len(data), 100)), None


def test_a_file_is_kept_in_the_registrys_container() -> None:
    """What was kept comes back whole, however it is cut into chunks; a file that was never kept is empty."""
    private: Any = SimpleNamespace(container=Disk())
    content = json.dumps({str(n): n for n in range(500)}).encode()
    before = storage.kept(private, "notes.json")
    storage.keep(private, "notes.json", content)

    assert before == b""
    assert storage.kept(private, "notes.json") == content
    assert list(private.container.files) == ["/etc/private/notes.json"]
