"""The environment of JupyterLab, its terminals and the kernels: the kit's tools, engine and cluster, and no other.

Variables hold for kernels, and for what cells start (`!kubectl`).  A shell reads the user's own start files, which may set KUBECONFIG
or an alias of kubectl again: terminals.py therefore applies the kit's settings last.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from shutil import which

from kitlib import paths
from kitlib.engine import daemon, endpoint
from kitlib.errors import EngineError
from kitlib.host import environment, identity, tools

# Run when a kernel starts: outputs are masked, and errors explained, also before a cell has imported the kit.
STARTUP = """\
__import__("kitlib")
"""
# What would lead docker, kind and kubectl elsewhere.  A kernel that something else has started keeps the rest: it is that program's.
UNSET = "DOCKER_CONTEXT DOCKER_DEFAULT_PLATFORM DOCKER_BUILDKIT BUILDX_* BUILDKIT_* COMPOSE_* KIND_* KUBE_* KUBECTL_* HELM_KUBE* OTEL_*"


def variables() -> dict[str, str]:
    """The variables that the kit sets: its tools first on PATH, the settings of its Go, its cluster, and the engine that was found.

    A wrong name of the engine stays as it is: each call of the kit reports it.
    """
    folder = endpoint.user_folder()
    try:
        at = endpoint.find(daemon.SOCKET).environment()
    except EngineError:
        at = {}
    go = {name: value for name, value in tools.go_env().items() if name.startswith("GO")}
    return {
        **environment.proxies(),
        **at,
        **go,
        "PATH": environment.on_path(*_tools()),
        "DOCKER_CONFIG": str(endpoint.own_folder()),
        "KIT_USER_DOCKER_CONFIG": str(folder),
        "BUILDX_BUILDER": "default",
        "KUBECONFIG": str(identity.kubeconfig()),
        "KUBERC": "off",
    }


def whole() -> dict[str, str]:
    """The environment of JupyterLab and kernels: the allowed user variables, and those that the kit sets."""
    made = {**environment.person(), **variables(), **jupyter()}
    if "DOCKER_HOST" in made:
        made.pop("DOCKER_CONTEXT", None)
    return made


def jupyter() -> dict[str, str]:
    """The kit's own folders, so that the user's configuration, kernels, start files and plot styles are not used."""
    folder = paths.state() / "jupyter"
    folder.mkdir(exist_ok=True)  # IPython makes its own below, and warns where it cannot
    _write_startup(folder / "ipython" / "profile_default" / "startup" / "first.py")
    return {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_CONFIG_PATH": str(paths.ROOT / "kitlib" / "runner" / "jupyter"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_PATH": "",
        "IPYTHONDIR": str(folder / "ipython"),
        "MPLCONFIGDIR": str(paths.cache() / "matplotlib"),
        "PYTHONNOUSERSITE": "1",
    }


def enter() -> None:
    """Give this kernel that environment, whatever started it: `!kubectl` in its cells speaks to the kit's cluster."""
    environment.adopt(variables(), UNSET.split())


def _write_startup(file: Path) -> None:
    """Write what each kernel runs first, unless it is there; in a state folder that cannot be written, kernels do without."""
    with suppress(OSError):
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(STARTUP)


def _tools() -> Iterator[Path]:
    yield Path(sys.executable).parent
    if not which("docker"):
        yield tools.folder("docker-cli")  # also before it is built: a kernel may start earlier
