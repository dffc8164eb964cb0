"""Every image of cluster/images.toml: pulled, or built from its recipe when the hash of the recipe's inputs is new.

A built image is kit.local/<name>:<hash of inputs>, so that an image that exists is an image that is up to date.
"""

from __future__ import annotations

import hashlib
import os
import ssl
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import docker.utils

from kitlib import jars, paths, supply, tools, wheels
from kitlib.engine import Engine
from kitlib.errors import SupplyError, UsageError

RECIPES = paths.ROOT / "cluster" / "images"
LABEL = "local.kit.image"
PREFIX = "kit.local"


@dataclass(frozen=True)
class Recipe:
    """How an image is made: recipe.toml beside its Dockerfile.  All fields have defaults; most recipes have no recipe.toml.

    modules: Go modules (cluster/modules) whose commands are build contexts of the same name.  wheels: packages of the virtual
    environment whose commands are build contexts of the same name.  jars: sets of Java archives (cluster/jars); the context of a set
    is `<name>-jars`.  go: the kit's Go is the context `go`.
    trust: the machine's CA bundle is the context `trust` (builders only).  network: RUN reaches the machine's network.
    rootfs: the image is a Debian root file system instead of a Dockerfile.
    """

    modules: tuple[str, ...] = ()
    wheels: tuple[str, ...] = ()
    jars: tuple[str, ...] = ()
    go: bool = False
    trust: bool = False
    network: bool = False
    rootfs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Image:
    """One entry of images.toml.  recipe: none for what can only be pulled.  stack: what needs it, and makes it be here; else `up` does."""

    name: str
    recipe: str = ""
    upstream: str = ""
    about: str = ""
    context: str = ""
    stack: str = ""
    args: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return RECIPES / self.recipe

    @property
    def dockerfile(self) -> str:
        """The recipe's Dockerfile as text."""
        return (self.folder / "Dockerfile").read_text()

    @property
    def pulled(self) -> bool:
        """Whether this supply takes the image from upstream."""
        return bool(self.upstream) and supply.choose() != "packages"

    @property
    def available(self) -> bool:
        """Whether this supply has the image at all."""
        return bool(self.recipe) or self.pulled

    @property
    def reference(self) -> str:
        """What the engine calls the image under the chosen supply."""
        return self.upstream if self.pulled or not self.recipe else f"{PREFIX}/{self.name}:{inputs(self.name)}"


@cache
def catalogue() -> dict[str, Image]:
    """All images by name."""
    table = tomllib.loads((paths.ROOT / "cluster" / "images.toml").read_text())
    return {name: Image(name, **entry) for name, entry in table.items()}


def common() -> list[str]:
    """The images that every chapter may use; those of a stack come with it."""
    return [name for name, it in catalogue().items() if not it.stack]


def image(name: str) -> Image:
    """Raises UsageError for a name that images.toml does not have."""
    try:
        return catalogue()[name]
    except KeyError:
        raise UsageError(f"no image is called {name}", hint=f"one of {', '.join(catalogue())}") from None


def recipe(name: str) -> Recipe:
    file = image(name).folder / "recipe.toml"
    settings: dict[str, Any] = tomllib.loads(file.read_text()) if file.exists() else {}
    read: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
    return Recipe(**read)


@cache
def inputs(name: str) -> str:
    """12 hex digits over everything that decides the image: recipe, context, base images, modules, wheels, Go, trust."""
    it, how = image(name), recipe(name)
    digest = hashlib.sha256()
    for file in [*_files(it.folder), *(_context(paths.ROOT / it.context) if it.context else ())]:
        digest.update(f"{file.relative_to(paths.ROOT)}\0{file.stat().st_mode & 0o111}\0".encode() + file.read_bytes())
    parts = [image(base).reference for base in it.args.values()]
    parts += [tools.modules()[m].inputs() for m in how.modules]
    parts += [f"{w}=={wheels.version(w)}" for w in how.wheels]
    parts += [jars.inputs(name) for name in how.jars]
    parts += [tools.go_version()] if how.go else []
    parts += [hashlib.sha256(trust().read_bytes()).hexdigest()] if how.trust else []
    parts += [repr(_provenance(it))]
    digest.update("\0".join(parts).encode())
    return digest.hexdigest()[:12]


def ensure(engine: Engine, names: Iterable[str]) -> dict[str, str]:
    """Make images be here, bases first; returns name → reference.  What is up to date costs one question to the engine."""
    return {name: _ensure(engine, name) for name in names}


def stands_for(name: str) -> str | None:
    """The upstream image that a recipe's image stands for, None when it is the upstream image itself or has none."""
    it = image(name)
    return it.upstream if it.upstream and it.recipe and not it.pulled else None


def describe(names: Iterable[str]) -> dict[str, Any]:
    """For the stamp: the bases that a measurement used."""
    return {n: {"reference": image(n).reference, "stands_for": stands_for(n)} for n in names}


def trust() -> Path:
    """The CA bundle of this machine: SSL_CERT_FILE, PIP_CERT, or what OpenSSL uses."""
    found = os.environ.get("SSL_CERT_FILE") or os.environ.get("PIP_CERT") or ssl.get_default_verify_paths().cafile
    if not found or not Path(found).exists():
        raise SupplyError("this machine has no CA bundle", hint="install ca-certificates, or set SSL_CERT_FILE")
    return Path(found)


def _ensure(engine: Engine, name: str) -> str:
    it = image(name)
    if not it.available:
        raise SupplyError(
            f"{name} cannot be built from packages",
            hint=f"where images can be pulled, KIT_SUPPLY=upstream has {it.upstream}",
        )
    if engine.inspect(it.reference) is None:
        if it.pulled:
            engine.pull(it.reference)
        else:
            args = {arg: _ensure(engine, base) for arg, base in it.args.items()}
            _make(engine, it, args)
    return it.reference


def _make(engine: Engine, it: Image, args: dict[str, str]) -> None:
    from kitlib import nodeimage, rootfs

    how = recipe(it.name)
    if how.rootfs:
        rootfs.make(engine, it.reference, how.rootfs, labels(it))
    elif it.recipe == "node":
        nodeimage.make(engine, it.reference, base=args["DEBIAN"], modules=how.modules, labels=labels(it))
    else:
        build(engine, it.name, it.reference, args=args)


def build(engine: Engine, name: str, tag: str, *, args: dict[str, str] | None = None, cache: bool = True) -> str:
    """Run a Dockerfile recipe under any tag; returns the image id.  Its bases must be here, or be given in args."""
    it, how = image(name), recipe(name)
    contexts = {m: tools.build(m) for m in how.modules} | {f"{name}-jars": jars.fetch(name) for name in how.jars}
    if how.go:
        contexts["go"] = tools.goroot()
    with tempfile.TemporaryDirectory() as tmp:
        contexts |= {w: wheels.copy_commands(w, Path(tmp) / w) for w in how.wheels}
        if how.trust:
            contexts["trust"] = Path(tmp)
            (Path(tmp) / "ca.crt").write_bytes(trust().read_bytes())
        return engine.build(
            paths.ROOT / it.context if it.context else it.folder,
            tag,
            dockerfile=it.folder / "Dockerfile",
            args=args or {arg: image(base).reference for arg, base in it.args.items()},
            contexts=contexts,
            labels=labels(it),
            host_network=how.network,
            cache=cache,
        )


def labels(it: Image) -> dict[str, str]:
    """Labels that say where an image from a recipe comes from."""
    return {**_provenance(it), "local.kit.inputs": inputs(it.name)}


def _provenance(it: Image) -> dict[str, str]:
    """Empty values are set, too: an image inherits the labels of its base, which are not true of it."""
    how = recipe(it.name)
    made_from = {m: tools.modules()[m].version for m in how.modules} | {w: wheels.version(w) for w in how.wheels}
    made_from |= {name: jars.version(name) for name in how.jars}
    return {
        LABEL: it.name,
        "local.kit.stands-for": it.upstream,
        "local.kit.modules": ",".join(f"{name}@{v}" for name, v in made_from.items()),
        "org.opencontainers.image.title": it.name,
        "org.opencontainers.image.description": it.about,
    }


def _context(folder: Path) -> list[Path]:
    """What a build sees of a folder: everything that its .dockerignore lets through."""
    rules = (folder / ".dockerignore").read_text().splitlines()
    seen = (
        folder / p for p in docker.utils.exclude_paths(str(folder), [r for r in rules if r and not r.startswith("#")])
    )
    return sorted(f for f in seen if f.is_file())


def _files(folder: Path) -> list[Path]:
    return sorted(f for f in folder.rglob("*") if f.is_file() and f.suffix != ".md")
