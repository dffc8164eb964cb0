"""The catalogue of images, cluster/images.toml: what each is called, and the hash of everything that decides it.  builder.py makes them.

A built image is kit.local/<name>:<hash of inputs>, so that an image that exists is an image that is up to date.
"""

from __future__ import annotations

import hashlib
import os
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import docker.errors
import docker.utils

from kitlib import paths
from kitlib.errors import SupplyError, UsageError, meant
from kitlib.host import buildcontext, identity, tools
from kitlib.host.tables import Toml
from kitlib.supply import choice as supply
from kitlib.supply.packages import jars, wheels

RECIPES = paths.ROOT / "cluster" / "images"
LABEL = "local.kit.image"
CHECKOUT = "local.kit.checkout"  # the owner: identity.checkout() of the state folder from which it was made
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
class RootFs:
    """The table `rootfs` of a recipe.  include: packages.  exclude: paths."""

    suite: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]


@dataclass(frozen=True)
class Image:
    """One entry of images.toml.  recipe: none for an image that can only be pulled.  stack: the one that provides it; else `up` does."""

    name: str
    recipe: str = ""
    upstream: str = ""
    about: str = ""
    context: str = ""
    stack: str = ""
    args: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder with the image's recipe."""
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
        """The image's name in the engine under the chosen supply."""
        return self.upstream if self.pulled or not self.recipe else f"{PREFIX}/{self.name}:{inputs(self.name)}"


@cache
def catalogue() -> dict[str, Image]:
    """All images by name.  Raises InputError, with file and line, for an entry that cannot be used."""
    toml = Toml.read(paths.ROOT / "cluster" / "images.toml")
    found = toml.all(Image)
    for name, it in found.items():
        _check(toml, it, found)
        _check_cycle(toml, name, found)
    return found


def _check(toml: Toml, it: Image, found: Mapping[str, Image]) -> None:
    if not it.recipe and not it.upstream:
        raise toml.error("has neither a recipe nor an upstream", it.name)
    if it.recipe and not it.folder.is_dir():
        raise toml.error(f"there is no folder cluster/images/{it.recipe}", it.name, "recipe")
    if it.context and not (paths.ROOT / it.context).is_dir():
        raise toml.error(f"there is no folder {it.context}", it.name, "context")
    for arg, base in it.args.items():
        if base not in found:
            raise toml.error(f"{arg} is {base!r}, and no image is called so", it.name, "args", hint=meant(base, found))


def _check_cycle(toml: Toml, name: str, found: Mapping[str, Image], way: tuple[str, ...] = ()) -> None:
    if name in way:
        raise toml.error(f"stands on itself: {' → '.join([*way[way.index(name) :], name])}", name, "args")
    for base in found[name].args.values() if name in found else ():
        _check_cycle(toml, base, found, (*way, name))


def common() -> list[str]:
    """The images that every chapter may use; a stack's images are made with the stack."""
    return [name for name, it in catalogue().items() if not it.stack]


def image(name: str) -> Image:
    """Raises UsageError for a name that images.toml does not have."""
    try:
        return catalogue()[name]
    except KeyError:
        raise UsageError(f"no image is called {name}", hint=meant(name, catalogue())) from None


def recipe(name: str) -> Recipe:
    """How an image is made.  Raises InputError, with file and line, for a recipe.toml that cannot be used."""
    file = image(name).folder / "recipe.toml"
    if not os.path.lexists(file):
        return Recipe()
    toml = Toml.read(file)
    how = toml.one(Recipe, toml.tables)
    for module in how.modules:
        if module not in tools.modules():
            raise toml.error(f"no Go module is called {module!r}", key="modules", hint=meant(module, tools.modules()))
    for jar in how.jars:
        if not (jars.FOLDER / jar).is_dir():
            raise toml.error(f"there is no folder cluster/jars/{jar}", key="jars")
    if how.rootfs:
        toml.one(RootFs, how.rootfs)
    return how


@cache
def inputs(name: str) -> str:
    """12 hex digits over everything that decides the image: recipe, context, base images, modules, wheels, Go, trust."""
    it, how = image(name), recipe(name)
    digest = hashlib.sha256()
    for file in [*_files(it.folder), *(_context(paths.ROOT / it.context) if it.context else ())]:
        digest.update(f"{file.relative_to(paths.ROOT)}\0{_mode(file)}\0".encode() + file.read_bytes())
    parts = [image(base).reference for base in it.args.values()]
    parts += [tools.modules()[m].inputs() for m in how.modules]
    parts += [f"{w}=={wheels.version(w)}" for w in how.wheels]
    parts += [jars.inputs(name) for name in how.jars]
    parts += [tools.go_version()] if how.go else []
    parts += [hashlib.sha256(trust().read_bytes()).hexdigest()] if how.trust else []
    parts += [repr(_provenance(it))]
    digest.update("\0".join(parts).encode())
    return digest.hexdigest()[:12]


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


def labels(it: Image) -> dict[str, str]:
    """Labels that say where an image from a recipe comes from, and from which checkout."""
    return {**_provenance(it), "local.kit.inputs": inputs(it.name), CHECKOUT: identity.checkout()}


def _provenance(it: Image) -> dict[str, str]:
    """Empty values are also set: an image inherits the labels of its base, which are not true of it."""
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
    """The files of a folder that a build sees: all that its .dockerignore does not exclude."""
    rules = (folder / ".dockerignore").read_text().splitlines()
    seen = (
        folder / p for p in docker.utils.exclude_paths(str(folder), [r for r in rules if r and not r.startswith("#")])
    )
    return sorted(f for f in seen if f.is_file())


def _mode(file: Path) -> str:
    """The file's execute bits in a build; its whole mode as well, unless that is the usual one of a program or a plain file."""
    mode = buildcontext.mode(file.stat().st_mode)
    return str(mode & 0o111) if mode in (0o644, 0o755) else f"{mode & 0o111}/{mode:o}"


def _files(folder: Path) -> list[Path]:
    return sorted(f for f in folder.rglob("*") if f.is_file() and f.suffix != ".md")
