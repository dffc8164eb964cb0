"""How long from the start of a program to its first answer: as a process of the host, and as a container?"""

from __future__ import annotations

import http.client
import json
import platform
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import psutil

from kitlib.claims.levels import takes
from kitlib.engine.client import Engine
from kitlib.engine.errors import mapped
from kitlib.errors import EngineError, SetupError
from kitlib.host import proc
from kitlib.host.stats import quantity
from kitlib.measure.images import isolation
from kitlib.supply import images
from kitlib.workloads import app, builds

KINDS = ("process", "container")
IMAGE = "goapp-scratch"
PROGRAM = "/usr/local/bin/catalog"
PORT = f"{app.PORT}/tcp"
SECONDS = 30.0
MONITORS = ("firecracker", "cloud-hypervisor", f"qemu-system-{platform.machine()}")
Measure = Callable[[str], dict[str, float]]


@contextmanager
def program(engine: Engine, made: str) -> Iterator[Measure]:
    """A function that starts goapp's program as one of KINDS, the very same file, until it has answered one request.

    It returns `seconds` from the start to the answer; `memory`, what of the program is in memory then (B); and of a container also
    `create`, seconds until the engine had made it, and `shim`, the memory of the process that the engine keeps beside it, where
    this machine shows it.  made: the name that `builds.remove` takes.  Raises SetupError where the image's programs cannot run.
    """
    if sys.platform != "linux":
        raise SetupError("the program in the image is one for Linux: here it can run in a container only")
    reference = builds.base(engine, IMAGE)
    with TemporaryDirectory() as folder:
        file = Path(folder, "catalog")
        file.write_bytes(builds.take(engine, made, reference, PROGRAM))
        file.chmod(0o755)

        @takes({"create": "s", "memory": "B", "shim": "B"}, start=KINDS)
        def measure(start: str) -> dict[str, float]:
            return _process(file) if start == "process" else _container(engine, made, reference)

        yield measure


def table(runs: pd.DataFrame) -> pd.DataFrame:
    """Medians of each kind, and what cannot be measured, with what it would need."""
    rows: dict[str, dict[str, str]] = {}
    for (kind, metric), group in runs.groupby(["start", "metric"], sort=False):
        rows.setdefault(str(kind), {})[str(metric)] = quantity(group["value"].median(), group["unit"].iloc[0])
    rows["virtual machine"] = {"seconds": f"not measurable here: {no_vm()}"}
    return pd.DataFrame(rows).T.fillna("")


def no_vm() -> str:
    """Why no virtual machine can be started here to compare with."""
    return f"a virtual machine needs {'; '.join(_vm_needs())}"


def _vm_needs() -> list[str]:
    needs = [] if Path("/dev/kvm").exists() else ["/dev/kvm"]
    needs += [] if any(map(shutil.which, MONITORS)) else [f"one of {', '.join(MONITORS)}"]
    return [*needs, "a guest kernel, of which the kit has none"]


def _process(file: Path) -> dict[str, float]:
    began = time.monotonic()
    with proc.background(
        [file, "-addr", "127.0.0.1:0"], by=signal.SIGKILL
    ) as running:  # otherwise it drains for seconds
        address = _ready(running.stdout)
        _ask(int(address.rpartition(":")[2]))
        seconds = time.monotonic() - began
        return {"seconds": seconds, "memory": float(psutil.Process(running.process.pid).memory_info().rss)}


def _container(engine: Engine, made: str, reference: str) -> dict[str, float]:
    began = time.monotonic()
    with mapped(f"starting {reference}"):
        container = engine.client.containers.create(
            reference, ports={PORT: ("127.0.0.1", None)}, labels=builds.labels(made)
        )
        try:
            created = time.monotonic()
            container.start()
            with closing(container.logs(stream=True, follow=True)) as output:
                _ready(chunk.decode(errors="replace") for chunk in output)
                container.reload()
                _ask(int(container.ports[PORT][0]["HostPort"]))
                seconds = time.monotonic() - began
            ((_, kibibytes),) = container.top(ps_args="-o pid,rss")["Processes"]
            memory = {"memory": int(kibibytes) * 1024.0, **_shim(container)}
            return {"seconds": seconds, "create": created - began, **memory}
        finally:
            container.remove(force=True, v=True)


def _shim(container: Any) -> dict[str, float]:
    if isolation.hidden(container):
        return {}
    parent = psutil.Process(container.attrs["State"]["Pid"]).parent()
    return {"shim": float(parent.memory_info().rss)} if parent else {}


def _ready(output: Iterable[str]) -> str:
    """The address in the line by which goapp says that it listens: waiting for a line needs no polling."""
    seen: list[str] = []
    for chunk in output:
        seen += chunk.splitlines()
        for line in seen:
            if '"msg":"ready"' in line:
                return str(json.loads(line)["addr"])
    raise EngineError(f"{images.image(IMAGE).name} ended before it was ready", observed=seen[-5:])


def _ask(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", "/health")
        status = connection.getresponse().status
    finally:
        connection.close()
    if status != http.client.OK:
        raise EngineError(f"/health on port {port} answers {status}")
