"""The variables of the user's environment that reach the programs that the kit starts: an allow-list, with the reasons.

A variable that no row of ALLOWED names is unset in every program that the kit starts.  So DOCKER_DEFAULT_PLATFORM changes no build,
GOAMD64 no program, OTEL_TRACES_EXPORTER no tool's speed, and a user's Jupyter configuration no address.  What the kit itself sets for
a program is added by the module that starts it, on top of what stands here.

Settings in files of the user are held off by variables: GOENV=off, DOCKER_CONFIG, KUBERC=off, JUPYTER_CONFIG_DIR, IPYTHONDIR.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit


class To(Enum):
    """The kinds of programs that get a variable."""

    ANY = auto()  # every program: docker, buildx, kind, kubectl, apt, Maven, measuring programs, and all below
    GO = auto()  # the go command
    KIT = auto()  # the kit in another process: tests, kernels, JupyterLab
    PERSON = auto()  # a person's own commands: JupyterLab's terminals and kernels, programs in Go cells


@dataclass(frozen=True)
class Allowed:
    """Variables (patterns as in a shell, separated by blanks), the programs that get them, and the reason."""

    names: str
    to: tuple[To, ...]
    why: str


PROXIES = "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy"
TRUST = "SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS NIX_SSL_CERT_FILE PIP_CERT"
GO = "GOPROXY GONOPROXY GOPRIVATE GOINSECURE GOSUMDB GONOSUMDB GONOSUMCHECK GOVCS GOAUTH"
ENGINE = "DOCKER_HOST DOCKER_CONTEXT DOCKER_TLS DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_CONFIG"
INDEX = (
    "PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_FIND_LINKS PIP_NO_INDEX PIP_CLIENT_CERT PIP_PROXY PIP_TIMEOUT "
    "PIP_DEFAULT_TIMEOUT PIP_RETRIES PIP_KEYRING_PROVIDER PIP_CACHE_DIR PIP_NO_CACHE_DIR PIP_CONFIG_FILE PIP_DISABLE_PIP_VERSION_CHECK "
    "UV_DEFAULT_INDEX UV_INDEX UV_INDEX_URL UV_EXTRA_INDEX_URL UV_FIND_LINKS UV_INSECURE_HOST UV_NATIVE_TLS UV_SYSTEM_CERTS "
    "UV_HTTP_TIMEOUT UV_HTTP_RETRIES UV_KEYRING_PROVIDER UV_OFFLINE UV_CACHE_DIR"
)

ALLOWED = (
    Allowed("PATH HOME USER LOGNAME", (To.ANY,), "where programs and the user's own files are"),
    Allowed("KIT_KERNEL", (To.ANY,), "the mark by which all that a chapter has started is found when it breaks off: leftovers.py"),
    Allowed("TMPDIR TMP TEMP", (To.ANY,), "where there is room for temporary files"),
    Allowed("LANG LANGUAGE LC_* TZ", (To.ANY,), "characters, language and time zone of what is shown"),
    Allowed(PROXIES, (To.ANY,), "the way to the network; NO_PROXY is extended by what never leaves this machine"),
    Allowed(TRUST, (To.ANY,), "the authorities that this network needs"),
    Allowed(GO, (To.GO, To.KIT), "where modules come from, and who vouches for them"),
    Allowed("NETRC GIT_SSL_CAINFO SSH_AUTH_SOCK", (To.GO, To.KIT), "signing in to a module proxy, or to a repository behind it"),
    Allowed("KIT_*", (To.KIT,), "the kit's own settings"),
    Allowed(ENGINE, (To.KIT,), "which container engine the user means; kitlib/engine/endpoint.py reads it, and hands on what it found"),
    Allowed(INDEX, (To.KIT,), "where Python packages come from"),
    Allowed("XDG_CACHE_HOME", (To.KIT,), "where the kit's cache is"),
    Allowed("CI", (To.KIT,), "nobody looks at the terminal: no window, no line that moves"),
    Allowed("LD_LIBRARY_PATH", (To.KIT,), "a Python with a shared library outside the system's folders does not start without it"),
    Allowed("PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED PYENV_ROOT PYENV_VERSION", (To.KIT,), "which Python it is"),
    Allowed("SHELL TERM COLORTERM NO_COLOR", (To.KIT, To.PERSON), "what the terminal is, and can show"),
    Allowed("EDITOR VISUAL PAGER LESS", (To.PERSON,), "the user's own tools, for commands that the user types"),
    Allowed("DISPLAY WAYLAND_DISPLAY XAUTHORITY DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR BROWSER", (To.PERSON,), "windows"),
)  # fmt: skip

LOOPBACK = ("localhost", "127.0.0.1", "127.0.0.0/8", "::1")
CLUSTER = ("kit.local", ".kit.local", ".svc", ".cluster.local")  # names of the registries, and of Services


def base() -> dict[str, str]:
    """For every program."""
    return _given(To.ANY)


def go() -> dict[str, str]:
    """The user's settings for the go command: from the environment, or else the allowed ones of `go env -w`."""
    return {**_go_settings(), **_given(To.ANY, To.GO)}


def kit() -> dict[str, str]:
    """For the kit in another process."""
    return _given(To.ANY, To.KIT)


def person() -> dict[str, str]:
    """For JupyterLab and kernels: the kit in another process, and a person's own commands."""
    return _given(To.ANY, To.KIT, To.PERSON)


def program() -> dict[str, str]:
    """For a learner's own program: a person's, and what was set in this process since it began (`%env`), which is meant for it."""
    since = {name: value for name, value in os.environ.items() if _inherited().get(name) != value}
    return {**_given(To.ANY, To.PERSON), **since, "GOTRACEBACK": "single"}  # how a crash is read: golang/findings.py


def proxies(*names: str, away: bool = False) -> dict[str, str]:
    """Proxy variables of the user; {} when there are none.  NO_PROXY has loopback, the kit's names and `names`, in both cases.

    away: for a machine or container with another loopback address, which cannot use a proxy on this machine's loopback.
    """
    found = {name: os.environ[name] for name in PROXIES.split() if os.environ.get(name)}
    without = ",".join(found.pop(name) for name in ("NO_PROXY", "no_proxy") if name in found)
    if away:
        found = {name: value for name, value in found.items() if not _on_loopback(value)}
    if not found and not without:
        return {}
    known = dict.fromkeys(word.strip() for word in without.split(",") if word.strip())
    joined = ",".join(known | dict.fromkeys((*LOOPBACK, *CLUSTER, *names)))
    return {**found, "NO_PROXY": joined, "no_proxy": joined}


def adopt(variables: Mapping[str, str], unset: Iterable[str] = ()) -> None:
    """Set these variables in this process, for packages that read its environment themselves, and unset those that match `unset`."""
    patterns = tuple(unset)
    for name in [name for name in os.environ if any(fnmatchcase(name, pattern) for pattern in patterns)]:
        del os.environ[name]
    os.environ.update(variables)


def on_path(*folders: Path) -> str:
    """PATH with these folders first, each once."""
    first = [str(folder) for folder in folders]
    rest = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder not in first]
    return os.pathsep.join([*first, *rest])


def _given(*to: To) -> dict[str, str]:
    patterns = [p for row in ALLOWED if set(to) & set(row.to) for p in row.names.split()]
    plain, open_ended = {p for p in patterns if "*" not in p}, [p for p in patterns if "*" in p]
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in plain or any(fnmatchcase(name, p) for p in open_ended)
    }
    return {"PATH": os.defpath, **kept, **proxies()}


def _on_loopback(proxy: str) -> bool:
    host = urlsplit(proxy if "//" in proxy else f"//{proxy}").hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _go_settings() -> dict[str, str]:
    """The allowed variables of the file that `go env -w` writes."""
    said = os.environ.get("GOENV")
    file = Path(said or _user_config() / "go" / "env")
    try:
        text = "" if said == "off" else file.read_text()
    except (OSError, UnicodeDecodeError):
        return {}
    pairs = (line.partition("=") for line in text.splitlines())
    return {name: value for name, _, value in pairs if name in GO.split()}


def _user_config() -> Path:
    """os.UserConfigDir of Go."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


@cache
def _inherited() -> Mapping[str, str]:
    """The environment with which this process was started."""
    try:
        entries = Path("/proc/self/environ").read_bytes().split(b"\0")
    except OSError:
        return _AT_IMPORT
    return dict(os.fsdecode(entry).partition("=")[::2] for entry in entries if entry)


_AT_IMPORT = dict(os.environ)
