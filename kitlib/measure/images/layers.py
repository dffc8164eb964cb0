"""Which instructions add a layer to an image, and does a container mount every layer of it?"""

from __future__ import annotations

import pandas as pd

from kitlib.claims.levels import takes
from kitlib.engine.client import Engine
from kitlib.errors import EngineError
from kitlib.host import console
from kitlib.workloads import builds

ENGINES_OWN = 1  # the engine puts one between image and container, for /etc/hosts and the like
FROM = "ARG DEBIAN\nFROM ${DEBIAN}\n"
FILES = {"index.html": "hello\n"}


@takes({"unmounted": "count"})
def adds(engine: Engine, made: str, instruction: str) -> dict[str, float]:
    """`layers`: how many an instruction adds to its base; `unmounted`: layers of the image that its container does not mount.

    made: the name that `builds.remove` takes.  Raises EngineError when a container's root is no overlay mount.
    """
    with console.quiet():
        reference = builds.build(engine, f"{FROM}{instruction}\n", f"{made}:instruction", files=FILES)
    found = builds.layers(engine, reference)
    below = builds.layers(engine, builds.base(engine, builds.BASES["DEBIAN"]))
    if found[: len(below)] != below:
        raise EngineError(f"{reference} does not begin with the layers of its base")
    mounted = len(lower(_mounts(engine, reference))) - ENGINES_OWN
    return {"layers": float(len(found) - len(below)), "unmounted": float(len(found) - mounted)}


def mount(engine: Engine, reference: str) -> pd.DataFrame:
    """The root of a container of this image: one row per folder that the kernel joins, the uppermost first."""
    options = _overlay(_mounts(engine, reference))
    folders = [("upper, writable", options["upperdir"])] + [("lower, read-only", d) for d in _lower(options)]
    return pd.DataFrame([{"in the mount": place, "folder of the engine": folder} for place, folder in folders])


def lower(mountinfo: str) -> list[str]:
    """The lower folders of the overlay mount at /, uppermost first.  Raises EngineError when something else is mounted there."""
    return _lower(_overlay(mountinfo))


def _lower(options: dict[str, str]) -> list[str]:
    return [folder for key, value in options.items() if key.startswith("lowerdir") for folder in value.split(":")]


def _mounts(engine: Engine, reference: str) -> str:
    """/proc/self/mountinfo (proc_pid_mountinfo(5)), read in a container of its own."""
    ended = engine.run(reference, ["cat", "/proc/self/mountinfo"])
    if ended.exit_code != 0:
        raise EngineError(f"{reference} does not show its mounts: {ended.said}")
    return ended.output


def _overlay(mountinfo: str) -> dict[str, str]:
    """The options of the mount at /, as key -> value; newer kernels may list `lowerdir+` once per folder, which are numbered here."""
    root = next(line for line in mountinfo.splitlines() if line.split()[4] == "/")
    kind, _, options = root.partition(" - ")[2].split(" ", 2)
    if "overlay" not in kind:
        raise EngineError(f"the container's root is a mount of {kind}, not of overlay", hint="./kit doctor")
    pairs = [option.partition("=")[::2] for option in options.split(",")]
    return {f"{key}{i}" if key == "lowerdir+" else key: value for i, (key, value) in enumerate(pairs)}
