"""Where images come from: one code path, four supplies, chosen by KIT_SUPPLY or by the first that works here."""

from __future__ import annotations

import os
from functools import cache
from typing import Any, Literal, cast, get_args

from kitlib.engine import client as engine
from kitlib.engine.errors import mapped
from kitlib.errors import EngineError, InputError, SupplyError
from kitlib.host import debian, textfile
from kitlib.host.console import say

Supply = Literal["upstream", "mirror", "bundle", "packages"]
PROBE = "docker.io/library/registry:3.1.2"


@cache
def choose() -> Supply:
    """The supply for this process.  Raises UsageError or SupplyError with the next step."""
    return named() or _first_that_works()


def announce() -> None:
    """Print which supply is used, in commands that use or make images."""
    say(f"supply: {choose()}" + ("" if os.environ.get("KIT_SUPPLY") else " (KIT_SUPPLY chooses another)"))


def describe() -> dict[str, Any]:
    """For the stamp."""
    return {"supply": choose()}


def named() -> Supply | None:
    """The supply that KIT_SUPPLY names, None when it is not set.  Raises the same errors as `choose`."""
    wanted = os.environ.get("KIT_SUPPLY")
    if not wanted:
        return None
    if wanted not in get_args(Supply):
        shown = textfile.one_line(wanted[:80])
        raise InputError(f"KIT_SUPPLY={shown} is not a supply", hint=f"one of {', '.join(get_args(Supply))}")
    if wanted in ("mirror", "bundle"):
        raise SupplyError(
            f"the supply {wanted} is not in this version of the kit", hint="KIT_SUPPLY=upstream or KIT_SUPPLY=packages"
        )
    return cast(Supply, wanted)


def _first_that_works() -> Supply:
    try:
        running = engine.connect()
    except EngineError:  # the engine's name is wrong: a command that needs the engine reports it
        running = None
    if running is None or running.ours:  # an engine the kit had to build: registries were out of reach from the start
        return "packages"
    try:
        with mapped("asking the registry"):
            running.client.api.inspect_distribution(PROBE)
    except EngineError as e:
        if reason := debian.usable():
            raise SupplyError(
                f"images can neither be pulled nor built here: {reason}",
                observed=[e.message],
                hint="check the network, then run the same command again",
            ) from e
        return "packages"
    return "upstream"
