"""What a kubeconfig says, against a server that speaks TLS: which header arrives, whom both sides believe, and what is refused."""

from __future__ import annotations

import base64
import json
import ssl
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
import urllib3
import yaml

from kitlib.errors import ApiError, ClusterError
from kitlib.kube.client import Kube
from kitlib.kube.connection import Connection, StatusError
from kitlib.kube.kubeconfig import access

AUTHORITY = trustme.CA()
CA = AUTHORITY.cert_pem.bytes()


class Server(ThreadingHTTPServer):
    """Answers {} by TLS to every GET, 401 to the next `refuse` ones, and keeps the requests; as a proxy, it passes them on."""

    daemon_threads = True

    def __init__(self, name: str = "127.0.0.1", *, client: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.arrived: list[dict[str, list[str]]] = []
        self.certificates: list[Any] = []
        self.refuse = 0
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        AUTHORITY.issue_cert(name).configure_cert(tls)
        if client:
            tls.verify_mode = ssl.CERT_REQUIRED
            AUTHORITY.configure_trust(tls)
        self.socket = tls.wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_port}"

    @property
    def authorization(self) -> list[str | None]:
        return [next(iter(headers.get("Authorization", [])), None) for headers in self.arrived]


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.arrived.append({name: self.headers.get_all(name) or [] for name in self.headers})
        self.server.certificates.append(self.connection.getpeercert())
        refused = self.server.refuse > 0
        self.server.refuse -= 1
        self.send_response(401 if refused else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with running(Server()) as found:
        yield found


class running:
    def __init__(self, server: Server) -> None:
        self.server = server

    def __enter__(self) -> Server:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.server

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


@dataclass
class Config:
    """A kubeconfig of one context, in a folder of the test's own."""

    folder: Path
    server: str
    user: dict[str, Any] = field(default_factory=dict)
    cluster: dict[str, Any] = field(default_factory=lambda: {"certificate-authority-data": b64(CA)})

    def write(self) -> Path:
        file = self.folder / "config"
        content = {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "it", "user": "me"}}],
            "clusters": [{"name": "it", "cluster": {"server": self.server, **self.cluster}}],
            "users": [{"name": "me", "user": self.user}],
        }
        file.write_text(yaml.safe_dump(content))
        return file

    def connect(self) -> Connection:
        return Connection(access(self.write()))


def b64(data: bytes | str) -> str:
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def get(connection: Connection) -> Any:
    return connection.json("GET", "/version", seconds=5)


def plugin(folder: Path, text: str, **more: Any) -> dict[str, Any]:
    """A user that signs in by a Python program beside the kubeconfig."""
    (folder / "plugin.py").write_text(text)
    api = "client.authentication.k8s.io/v1"
    return {"exec": {"apiVersion": api, "command": sys.executable, "args": [str(folder / "plugin.py")], **more}}


CREDENTIAL = """\
import json, os, sys
from pathlib import Path
asked = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
count = Path(__file__).with_suffix(".count")
count.write_text(number := str(int(count.read_text()) + 1 if count.exists() else 1))
print("a warning", file=sys.stderr)
print(json.dumps({"apiVersion": asked["apiVersion"], "kind": "ExecCredential", "status": STATUS}))
"""
TOKENS = CREDENTIAL.replace("STATUS", '{"token": os.environ.get("SAY", "s3") + "-" + number}')


@pytest.mark.parametrize(
    ("user", "arrives"),
    [
        ({"token": "abc"}, "Bearer abc"),
        ({"token": "abc\n"}, "Bearer abc"),
        ({"token": 123}, "Bearer 123"),
        ({"tokenFile": "token"}, "Bearer from-a-file"),
        ({"tokenFile": "token", "token": "older"}, "Bearer from-a-file"),
        ({"username": "ann", "password": "pä:ss"}, f"Basic {b64('ann:pä:ss')}"),
        ({"username": "ann", "password": 1}, f"Basic {b64('ann:1')}"),
        ({}, None),
    ],
    ids=str,
)
def test_what_signs_in_arrives(user: dict[str, Any], arrives: str | None, server: Server, tmp_path: Path) -> None:
    """A token, a token's file and a password each arrive as the Authorization header that kubectl would send."""
    (tmp_path / "token").write_text("from-a-file\n")

    assert get(Config(tmp_path, server.url, user).connect()) == {}
    assert server.authorization == [arrives]


def test_a_token_file_is_read_again(server: Server, tmp_path: Path) -> None:
    """A token that is replaced in its file is the next request's."""
    file = tmp_path / "token"
    file.write_text("one")
    connection = Config(tmp_path, server.url, {"tokenFile": str(file)}).connect()
    get(connection)
    file.write_text("two\n")
    get(connection)

    assert server.authorization == ["Bearer one", "Bearer two"]


def test_a_plugins_token_arrives(server: Server, tmp_path: Path) -> None:
    """An exec plugin is run once, with its own variables; its warnings are not its answer."""
    user = plugin(tmp_path, TOKENS, env=[{"name": "SAY", "value": "hello"}])
    connection = Config(tmp_path, server.url, user).connect()
    get(connection)
    get(connection)

    assert server.authorization == ["Bearer hello-1"] * 2


def test_a_plugin_is_asked_again_when_its_token_is_refused(server: Server, tmp_path: Path) -> None:
    """401 asks the plugin for another token, and the request is repeated once."""
    connection = Config(tmp_path, server.url, plugin(tmp_path, TOKENS)).connect()
    server.refuse = 1
    assert get(connection) == {}
    server.refuse = 2
    with pytest.raises(StatusError) as caught:
        get(connection)

    assert caught.value.status == 401
    assert server.authorization == [f"Bearer s3-{n}" for n in (1, 2, 2, 3)]


@pytest.mark.parametrize(("life", "asked"), [(timedelta(hours=1), 1), (timedelta(seconds=-1), 3)], ids=str)
def test_a_plugins_token_is_used_until_it_expires(life: timedelta, asked: int, server: Server, tmp_path: Path) -> None:
    """A token that has expired is replaced before the request, one that lives is used again."""
    until = (datetime.now(UTC) + life).isoformat().replace("+00:00", "Z")
    text = CREDENTIAL.replace("STATUS", f'{{"token": number, "expirationTimestamp": "{until}"}}')
    connection = Config(tmp_path, server.url, plugin(tmp_path, text)).connect()
    get(connection)
    get(connection)

    assert server.authorization[-1] == f"Bearer {asked}"


def test_a_plugin_knows_the_cluster_when_it_asks_to(server: Server, tmp_path: Path) -> None:
    """provideClusterInfo hands the cluster and its extension to the plugin."""
    status = '{"token": asked["spec"]["cluster"]["server"] + asked["spec"]["cluster"]["config"]["for"]}'
    user = plugin(tmp_path, CREDENTIAL.replace("STATUS", status), provideClusterInfo=True)
    extensions = [{"name": "client.authentication.k8s.io/exec", "extension": {"for": "/x"}}]
    cluster = {"certificate-authority-data": b64(CA), "extensions": extensions}
    get(Config(tmp_path, server.url, user, cluster).connect())

    assert server.authorization == [f"Bearer {server.url}/x"]


@pytest.mark.parametrize("form", ["data", "files", "mixed", "plugin"])
def test_a_client_certificate_is_shown(form: str, tmp_path: Path) -> None:
    """A certificate in the kubeconfig, in files beside it, or from a plugin is shown to the server."""
    mine = AUTHORITY.issue_cert("client.example")
    certificate, key = mine.cert_chain_pems[0].bytes(), mine.private_key_pem.bytes()
    (tmp_path / "crt").write_bytes(certificate)
    (tmp_path / "key").write_bytes(key)
    pair = json.dumps({"clientCertificateData": certificate.decode(), "clientKeyData": key.decode()})
    user = {
        "data": {"client-certificate-data": b64(certificate), "client-key-data": b64(key)},
        "files": {"client-certificate": "crt", "client-key": "key"},
        "mixed": {"client-certificate-data": b64(certificate), "client-key": "key"},
        "plugin": plugin(tmp_path, CREDENTIAL.replace("STATUS", pair)),
    }[form]
    with running(Server(client=True)) as server:
        get(Config(tmp_path, server.url, user).connect())

        assert server.certificates[0]["subjectAltName"] == (("DNS", "client.example"),)


def test_the_servers_authority_can_be_a_file(server: Server, tmp_path: Path) -> None:
    """certificate-authority is a path from the kubeconfig's folder."""
    (tmp_path / "ca.pem").write_bytes(CA)

    assert get(Config(tmp_path, server.url, cluster={"certificate-authority": "ca.pem"}).connect()) == {}


@pytest.mark.parametrize(
    "cluster",
    [{}, {"certificate-authority-data": b64(trustme.CA().cert_pem.bytes())}],
    ids=["the machine's", "another"],
)
def test_a_server_that_another_authority_signed_is_not_believed(
    cluster: dict[str, Any], server: Server, tmp_path: Path
) -> None:
    """Without the server's own authority nothing is sent to it."""
    with pytest.raises(urllib3.exceptions.SSLError):
        get(Config(tmp_path, server.url, {"token": "secret"}, cluster).connect())

    assert server.arrived == []


def test_insecure_believes_every_server(server: Server, tmp_path: Path) -> None:
    """insecure-skip-tls-verify is honoured, without a warning in every cell."""
    assert get(Config(tmp_path, server.url, cluster={"insecure-skip-tls-verify": True}).connect()) == {}


def test_another_name_of_the_server(tmp_path: Path) -> None:
    """tls-server-name is the name that is looked for in the certificate; without it, the address is."""
    with running(Server("api.example")) as server:
        config = Config(tmp_path, server.url)
        with pytest.raises(urllib3.exceptions.SSLError):
            get(config.connect())
        config.cluster["tls-server-name"] = "api.example"

        assert get(config.connect()) == {}


def test_impersonation_is_sent(server: Server, tmp_path: Path) -> None:
    """`as` and its companions arrive: without them the kit could do more than the kubeconfig allows."""
    user = {"token": "t", "as": "bob", "as-groups": ["a", "b"], "as-user-extra": {"scope": ["x"]}}
    get(Config(tmp_path, server.url, user).connect())
    (headers,) = server.arrived

    assert headers["Impersonate-User"] == ["bob"]
    assert headers["Impersonate-Group"] == ["a", "b"]
    assert headers["Impersonate-Extra-scope"] == ["x"]


class Proxy(BaseHTTPRequestHandler):
    """Notes whither CONNECT was asked to lead, and leads nowhere."""

    def do_CONNECT(self) -> None:
        self.server.asked.append((self.path, self.headers["Proxy-Authorization"]))  # type: ignore[attr-defined]
        self.send_error(503)

    def log_message(self, *_: object) -> None:
        pass


def test_requests_go_through_the_proxy_that_is_named(server: Server, tmp_path: Path) -> None:
    """proxy-url is asked for a tunnel to the server, with its own user and password; nothing goes past it."""
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    proxy.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    cluster = {"certificate-authority-data": b64(CA), "proxy-url": f"http://u:p%40@127.0.0.1:{proxy.server_port}"}
    try:
        with pytest.raises(urllib3.exceptions.HTTPError):
            get(Config(tmp_path, server.url, {"token": "t"}, cluster).connect())
    finally:
        proxy.shutdown()
        proxy.server_close()

    assert proxy.asked == [(server.url.removeprefix("https://"), f"Basic {b64('u:p@')}")]  # type: ignore[attr-defined]
    assert server.arrived == []


GOOD: dict[str, Any] = {
    "current-context": "here",
    "contexts": [{"name": "here", "context": {"cluster": "it", "user": "me"}}],
    "clusters": [{"name": "it", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "me", "user": {"token": "s3cret"}}],
}


def _with(**changed: Any) -> str:
    return str(yaml.safe_dump({k: v for k, v in {**GOOD, **changed}.items() if v is not None}))


def _user(**said: Any) -> str:
    return _with(users=[{"name": "me", "user": said}])


def _cluster(**said: Any) -> str:
    return _with(clusters=[{"name": "it", "cluster": {"server": "https://127.0.0.1:1", **said}}])


def _exec(command: str, *args: str, **more: Any) -> str:
    return _user(exec={"apiVersion": "client.authentication.k8s.io/v1", "command": command, "args": list(args), **more})


BROKEN = {
    "empty": "",
    "a list": "[]",
    "a word": "hello",
    "not YAML": "a: b: {",
    "no text": "\x00\x01",
    "no current-context": _with(**{"current-context": None}),
    "an empty current-context": _with(**{"current-context": ""}),
    "an unknown current-context": _with(**{"current-context": "there"}),
    "no contexts": _with(contexts=None),
    "contexts that are null": _with(contexts=[None]),
    "contexts without names": _with(contexts=[{"context": {}}]),
    "contexts that are text": _with(contexts="here"),
    "a context that is null": _with(contexts=[{"name": "here", "context": None}]),
    "no clusters": _with(clusters=None),
    "no users": _with(users=None),
    "a missing user": _with(users=[{"name": "other", "user": {}}]),
    "a context without a user": _with(contexts=[{"name": "here", "context": {"cluster": "it"}}]),
    "a user that is text": _with(users=[{"name": "me", "user": "hello"}]),
    "no server": _cluster(server=""),
    "a server that is no address": _cluster(server="ftp://x"),
    "a port that is none": _cluster(server="https://x:y"),
    "a CA that is not base64": _cluster(**{"certificate-authority-data": "a"}),
    "a CA that is no certificate": _cluster(**{"certificate-authority-data": b64("hello")}),
    "a CA that is not there": _cluster(**{"certificate-authority": "nowhere.pem"}),
    "a CA and insecure": _cluster(**{"certificate-authority-data": b64(CA), "insecure-skip-tls-verify": True}),
    "a SOCKS proxy": _cluster(**{"proxy-url": "socks5://127.0.0.1:1"}),
    "a proxy without a scheme": _cluster(**{"proxy-url": "127.0.0.1:1"}),
    "a certificate without its key": _user(**{"client-certificate-data": b64(CA)}),
    "a key that is none": _user(**{"client-certificate-data": b64(CA), "client-key-data": b64("x")}),
    "a certificate that is not there": _user(**{"client-certificate": "no.pem", "client-key": "no.key"}),
    "a token with a line end in it": _user(**{"token": "s3cret\nX: y"}),
    "a password and a token": _user(**{"token": "s3cret", "username": "a", "password": "b"}),
    "a plugin without a command": _user(exec={"apiVersion": "client.authentication.k8s.io/v1"}),
    "a plugin that is not there": _exec("no-such-plugin"),
    "a plugin that fails": _exec(sys.executable, "-c", "print('s3cret'); raise SystemExit(3)"),
    "a plugin that says nothing": _exec(sys.executable, "-c", ""),
    "a plugin that says no JSON": _exec(sys.executable, "-c", "print('s3cret')"),
    "a plugin that says another thing": _exec(sys.executable, "-c", "print('{}')"),
    "a plugin that needs a terminal": _exec(sys.executable, "-c", "", interactiveMode="Always"),
    "an auth-provider without a token": _user(**{"auth-provider": {"name": "azure"}}),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_a_kubeconfig_that_cannot_be_used(text: str, tmp_path: Path) -> None:
    """A kubeconfig that says too little, or what cannot be, is a ClusterError of one line that names the file, with a next step."""
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(ClusterError) as caught:
        Kube(file)

    assert not isinstance(caught.value, ApiError)
    assert "\n" not in caught.value.message
    assert str(file) in caught.value.message
    assert "s3cret" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("what", ["missing", "a folder", "not UTF-8"])
def test_a_file_that_cannot_be_read(what: str, tmp_path: Path) -> None:
    """A path that is not a text file is also a ClusterError that names it."""
    file = tmp_path / "config"
    if what == "a folder":
        file.mkdir()
    elif what == "not UTF-8":
        file.write_bytes(b"\xff\xfe")
    with pytest.raises(ClusterError, match=str(file)):
        access(file)


def test_a_token_file_that_went(server: Server, tmp_path: Path) -> None:
    """A token's file that is gone when a request is made is a ClusterError that names it, and nothing is sent."""
    (tmp_path / "token").write_text("one")
    connection = Config(tmp_path, server.url, {"tokenFile": "token"}).connect()
    (tmp_path / "token").unlink()
    with pytest.raises(ClusterError, match=str(tmp_path / "token")):
        get(connection)

    assert server.arrived == []
