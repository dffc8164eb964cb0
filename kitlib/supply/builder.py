"""Make images available, by pulling them or building them from their recipes; and remove those that a checkout made."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import docker.errors

from kitlib import paths
from kitlib.engine.client import Engine
from kitlib.engine.errors import mapped
from kitlib.errors import SupplyError
from kitlib.host import tools
from kitlib.host.lock import one_maker
from kitlib.supply import image_users
from kitlib.supply.images import PREFIX, Image, image, labels, recipe, trust
from kitlib.supply.packages import jars, node_image, rootfs, wheels


def ensure(engine: Engine, names: Iterable[str]) -> dict[str, str]:
    """Make images available, bases first; returns name → reference.  An up-to-date image costs one request to the engine."""
    here = {name: _ensure(engine, name) for name in names}
    image_users.note(here.values())
    return here


def _ensure(engine: Engine, name: str) -> str:
    it = image(name)
    if not it.available:
        raise SupplyError(
            f"{name} cannot be built from packages",
            hint=f"where images can be pulled, KIT_SUPPLY=upstream has {it.upstream}",
        )
    if engine.inspect(it.reference) is None:
        with one_maker(f"image-{name}"):
            if engine.inspect(it.reference) is None:
                _get(engine, it)
    return it.reference


def _get(engine: Engine, it: Image) -> None:
    if it.pulled:
        engine.pull(it.reference)
    else:
        _make(engine, it, {arg: _ensure(engine, base) for arg, base in it.args.items()})


def _make(engine: Engine, it: Image, args: dict[str, str]) -> None:
    how = recipe(it.name)
    if how.rootfs:
        rootfs.make(engine, it.reference, how.rootfs, labels(it))
    elif it.recipe == "node":
        node_image.make(engine, it.reference, it.folder, base=args["DEBIAN"], modules=how.modules, labels=labels(it))
    else:
        build(engine, it.name, it.reference, args=args)


def build(engine: Engine, name: str, tag: str, *, args: dict[str, str] | None = None, cache: bool = True) -> str:
    """Run a Dockerfile recipe under any tag; returns the image id.  Its bases must be available in the engine, or be given in args."""
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


def remove(engine: Engine, label: str) -> list[str]:
    """Remove the images with this label=value; returns one line per image that was left, with the reason.

    An image inherits the labels of its base.  So only names below kit.local/ are removed; other names of an image stay.  An image that
    a container or another checkout uses also stays.
    """
    left: list[str] = []
    with mapped("removing images"):
        used = {c.attrs["Image"]: c.name for c in engine.client.containers.list(all=True, ignore_removed=True)}
        for image in engine.client.images.list(filters={"label": label}):
            ours = [tag for tag in image.tags if tag.startswith(f"{PREFIX}/")]
            if image.id in used:
                left.append(f"{(ours or image.tags or [image.short_id])[0]}, which the container {used[image.id]} uses")
                continue
            if users := [home for tag in ours for home in image_users.users(tag)]:
                left.append(f"{ours[0]}, which the checkout with the state folder {users[0]} uses")
                continue
            for name in ours if image.tags else [str(image.id)]:
                with suppress(docker.errors.ImageNotFound):  # it was removed with another one
                    engine.client.images.remove(name)
    return left
