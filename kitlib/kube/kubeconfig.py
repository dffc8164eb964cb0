"""The current context of a kubeconfig: the API server's address, how it is verified, and how the client signs in.

The `kubernetes` package reads kubeconfigs too, but importing it takes longer than everything that a chapter asks of the API server,
and its 37.0.2 drops what stands in some of them: the error of a plugin, the end of a token's life.  The rules are those of client-go
(k8s.io/client-go/tools/clientcmd).  Only the old `auth-provider` goes through the package.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3
import yaml
from urllib3 import HTTPHeaderDict

from kitlib.kube.credentials import Fixed, SignIn, TokenFile, bearer, failing, load
from kitlib.kube.execplugin import Plugin

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Access:
    """The API server's address, and how both sides verify each other.

    headers: sent with each request beside that of `sign_in`.  tls_name: the server's name in its certificate, when it is not that of
    its address.  proxy: the address of an HTTP proxy, empty for none.
    """

    server: str
    tls: ssl.SSLContext
    headers: Mapping[str, str] = field(default_factory=HTTPHeaderDict)
    sign_in: SignIn = field(default_factory=Fixed)
    tls_name: str = ""
    proxy: str = ""

    def all_headers(self) -> HTTPHeaderDict:
        """For the next request."""
        headers = HTTPHeaderDict(self.headers)
        if says := self.sign_in.header():
            headers["Authorization"] = says
        return headers


def access(kubeconfig: Path) -> Access:
    """Read the current context of a kubeconfig.  Raises ClusterError, in one line, when it cannot be used."""
    with failing(str(kubeconfig)):
        cluster, user = _chosen(kubeconfig)
        folder = kubeconfig.parent
        server = _server(cluster)
        tls = _tls(cluster, folder)
        _present(tls, user, folder)
        return Access(
            server,
            tls,
            _impersonated(user),
            _sign_in(cluster, user, tls, kubeconfig),
            str(cluster.get("tls-server-name") or ""),
            _proxy(cluster),
        )


def _chosen(kubeconfig: Path) -> tuple[Entry, Entry]:
    """(cluster, user) of the current context."""
    found = yaml.load(kubeconfig.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    if not isinstance(found, dict):
        raise ValueError("it is empty" if found is None else "it is no mapping")
    name = found.get("current-context")
    if not name:
        raise ValueError("it has no current-context")
    context = _named(found, "context", name)
    return _named(found, "cluster", context.get("cluster")), _named(found, "user", context.get("user"))


def _named(found: Entry, kind: str, name: Any) -> Entry:
    """The entry of a list `contexts`, `clusters` or `users`."""
    if not name:
        raise ValueError(f"its current context names no {kind}")
    for entry in found.get(f"{kind}s") or []:
        if str(entry["name"]) == str(name):
            content = entry.get(kind) or {}
            if not isinstance(content, dict):
                raise ValueError(f"its {kind} {name} is no mapping")
            return content
    raise ValueError(f"it has no {kind} called {name}")


def _server(cluster: Entry) -> str:
    server = str(cluster.get("server") or "").rstrip("/")
    if not server:
        raise ValueError("its cluster has no server")
    server = server if "://" in server else f"https://{server}"
    parts = urlsplit(server)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError(f"its server {server} is not an HTTP address")
    _ = parts.port  # raises for an invalid port
    return server


def _proxy(cluster: Entry) -> str:
    proxy = str(cluster.get("proxy-url") or "")
    if proxy and urlsplit(proxy).scheme not in ("http", "https"):
        raise ValueError(
            f"its proxy-url begins with {urlsplit(proxy).scheme or proxy}: only http and https are supported"
        )
    return proxy


def _tls(cluster: Entry, folder: Path) -> ssl.SSLContext:
    """The server is checked against the CA that is named, else against the machine's, unless the kubeconfig says not to."""
    authority = _content(cluster, "certificate-authority", folder)
    if cluster.get("insecure-skip-tls-verify"):
        if authority:
            raise ValueError("it names a certificate-authority, and says insecure-skip-tls-verify")
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the user has asked for it
        tls = ssl.create_default_context()
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
        return tls
    return ssl.create_default_context(cadata=authority.decode() if authority else None)


def _present(tls: ssl.SSLContext, user: Entry, folder: Path) -> None:
    """Show a client certificate to the server, where there is one."""
    certificate, key = (_content(user, name, folder) for name in ("client-certificate", "client-key"))
    if bool(certificate) != bool(key):
        raise ValueError("its user has a client certificate or a key, but not both")
    if certificate:
        load(tls, certificate, key)


def _content(entry: Entry, name: str, folder: Path) -> bytes:
    """NAME-data in base64, else the file NAME, which is relative to the kubeconfig; empty when there is neither."""
    if data := entry.get(f"{name}-data"):
        return base64.b64decode(data, validate=False)
    return (folder / str(file)).read_bytes() if (file := entry.get(name)) else b""


def _sign_in(cluster: Entry, user: Entry, tls: ssl.SSLContext, kubeconfig: Path) -> SignIn:
    """A token file wins over a token, as kubectl has it."""
    ways = [name for name in ("tokenFile", "token", "username", "exec", "auth-provider") if user.get(name)]
    if "username" in ways and {"token", "tokenFile"} & set(ways):
        raise ValueError("its user has a password and a token: one of them is allowed")
    match ways:
        case []:
            return Fixed()
        case ["tokenFile", *_]:
            return TokenFile(kubeconfig.parent / str(user["tokenFile"]))
        case ["token", *_]:
            return Fixed(bearer(user["token"]))
        case ["username", *_]:
            pair = f"{user['username']}:{user.get('password') or ''}"
            return Fixed(f"Basic {base64.b64encode(pair.encode()).decode()}")
        case ["exec", *_]:
            return Plugin(user["exec"], cluster, tls, kubeconfig)
    return Fixed(_by_the_package(kubeconfig))


def _impersonated(user: Entry) -> HTTPHeaderDict:
    """`as`, `as-uid`, `as-groups` and `as-user-extra`: without these, more would be allowed than the kubeconfig means to."""
    headers = HTTPHeaderDict()
    for key, header in (("as", "Impersonate-User"), ("as-uid", "Impersonate-Uid")):
        if user.get(key):
            headers.add(header, str(user[key]))
    for group in user.get("as-groups") or []:
        headers.add("Impersonate-Group", str(group))
    for key, values in (user.get("as-user-extra") or {}).items():
        for value in values:
            headers.add(f"Impersonate-Extra-{key}", str(value))
    return headers


def _by_the_package(kubeconfig: Path) -> str:
    """The Authorization header by a user's `auth-provider`: gcp or oidc."""
    from kubernetes import config

    try:
        said = config.new_client_from_config(config_file=str(kubeconfig), persist_config=False).configuration
    except config.ConfigException as e:
        raise ValueError(str(e)) from e
    token = said.get_api_key_with_prefix("BearerToken")
    if not token:
        raise ValueError("its auth-provider gives no token")
    return str(token).strip()
