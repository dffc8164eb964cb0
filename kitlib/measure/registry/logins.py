"""Ways to log in: does the next command get in without a prompt, and can a reader of the file read the password?"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pandas as pd

from kitlib.claims.levels import takes
from kitlib.errors import RegistryRefused
from kitlib.private_registry import Private, client, server, tokens
from kitlib.private_registry.client import Client
from kitlib.private_registry.pki import Authority

Trial = Callable[[Private], dict[str, float]]


def plain(private: Private) -> dict[str, float]:
    """`docker login` with its defaults."""
    with client.fresh(private) as here:
        here.login(private.cluster.engine, private.address, private.password)
        return {"used": _lists(here, private.address), "readable": readable(here.stored, private.password)}


def helped(private: Private) -> dict[str, float]:
    """`docker login` with a credential helper."""
    with client.helped(private) as here:
        here.login(private.cluster.engine, private.address, private.password)
        return {"used": _lists(here, private.address), "readable": readable(here.stored, private.password)}


def wrong(private: Private) -> dict[str, float]:
    """A wrong password in config.json."""
    with client.fresh(private, client.wrong(private)) as here:
        return {"used": _lists(here, private.address)}


def untrusted(private: Private) -> dict[str, float]:
    """The right password, and a client that does not know the authority."""
    with client.logged_in(private, ca=client.trusted()) as here:
        return {"used": _lists(here, private.address)}


def valid_token(private: Private) -> dict[str, float]:
    """A token that was issued just now."""
    with token_client(private, age=0) as (here, address):
        return {"used": _lists(here, address), "readable": readable(here.stored, private.password)}


def expired_token(private: Private) -> dict[str, float]:
    """A token whose time has passed, leeway included."""
    with token_client(private, age=tokens.LIFETIME + tokens.LEEWAY + 10) as (here, address):
        return {"used": _lists(here, address)}


WAYS: Mapping[str, Trial] = {
    "config.json": plain,
    "credential helper": helped,
    "valid token": valid_token,
    "expired token": expired_token,
    "wrong password": wrong,
    "untrusted TLS": untrusted,
}


@takes({"readable": "0/1"}, way=WAYS)
def measure(private: Private, way: str) -> dict[str, float]:
    """`used`: 1 if the next command got in.  `readable`: 1 if config.json gives the password away; only for logins that should work."""
    return WAYS[way](private)


@contextmanager
def token_client(private: Private, *, age: float) -> Iterator[tuple[Client, str]]:
    """A client with a token of this age (seconds), and the address of a registry that takes tokens; both go with the block."""
    issuer, authority = tokens.Issuer(), Authority()
    with server.beside(private.cluster, "tokens", authority, tokens.AUTH, issuer.files) as address:
        config = {"auths": {address: {"registrytoken": issuer.token(age=age)}}}
        with client.fresh(private, config) as here:
            (here.config / "ca.crt").write_text(authority.certificate)
            yield Client(here.config, here.config / "ca.crt"), address


def entries(config: str) -> pd.DataFrame:
    """The entries of config.json, by registry; for a secret, only the fact that there is one."""
    auths = json.loads(config).get("auths", {})
    rows = [(host, ", ".join(entry) or "nothing", _decoded(entry)) for host, entry in auths.items()]
    return pd.DataFrame(rows, columns=["registry", "fields", "decoded by base64"])


def readable(config: str, password: str) -> float:
    """1 if the password can be read from the file by base64 alone."""
    return float(any(_password(entry) == password for entry in json.loads(config).get("auths", {}).values()))


def _password(entry: Mapping[str, str]) -> str:
    return base64.b64decode(entry.get("auth", "")).decode().partition(":")[2]


def _decoded(entry: Mapping[str, str]) -> str:
    user = base64.b64decode(entry.get("auth", "")).decode().partition(":")[0]
    return f"user {user}, and a password of {len(_password(entry))} characters" if user else "–"


def _lists(here: Client, address: str) -> float:
    try:
        here.crane("catalog", address)
    except RegistryRefused:
        return 0.0
    return 1.0
