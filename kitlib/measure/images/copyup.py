"""What does a change to an image's file put into the container's own layer?"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from kitlib.engine.client import Engine
from kitlib.engine.errors import mapped
from kitlib.errors import EngineError
from kitlib.workloads import builds

KINDS = ("changed", "added", "deleted")  # as the API numbers them


def table(engine: Engine, made: str, reference: str, commands: Mapping[str, str]) -> pd.DataFrame:
    """One row per shell command, each in a container of its own: its output, the changed files, and bytes in that writable layer.

    made: the name that `builds.remove` takes.  Raises EngineError when a command fails.
    """
    return pd.DataFrame([{"command": name} | _after(engine, made, reference, commands[name]) for name in commands])


def _after(engine: Engine, made: str, reference: str, command: str) -> dict[str, object]:
    container = builds.start(engine, made, reference, ["sh", "-c", command], network_mode="none")
    with mapped(f"running {command}"):
        try:
            code = container.wait(timeout=60)["StatusCode"]
            if code != 0:
                raise EngineError(f"{command} returned {code}", observed=container.logs().decode().splitlines()[-5:])
            changes = [f"{change['Path']} {KINDS[change['Kind']]}" for change in container.diff() or []]
            # a folder is listed because something in it is
            deepest = [c for c in changes if not any(o.startswith(f"{c.split()[0]}/") for o in changes)]
            said = container.logs().decode(errors="replace").strip()
            return {"says": said, "what changed": ", ".join(deepest), "bytes written": engine.written(container.id)}
        finally:
            container.remove(force=True, v=True)
