"""Row 9: the smallest image of goapp against the least that it can be made of."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager

from kitlib.dev.bench import Group, Row, Values
from kitlib.engine import client as engine
from kitlib.engine.client import Engine
from kitlib.engine.errors import mapped
from kitlib.supply import builder, images

PROGRAM = "/usr/local/bin/catalog"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
MOST = 15_000_000


@contextmanager
def group() -> Iterator[Group]:
    """ours: bytes of all layers of the smallest variant.  limit: its program, stripped as it is, and the `static` base's CA bundle."""
    here = engine.current()
    variants = [name for name in images.catalogue() if name.startswith("goapp-")]
    sizes = {name: here.size(reference) for name, reference in builder.ensure(here, variants).items()}
    smallest = min(sizes, key=sizes.__getitem__)

    def limit() -> Values:
        program = file_content(here, images.image(smallest).reference, PROGRAM)
        certificates = file_content(here, builder.ensure(here, ["static"])["static"], CERTIFICATES)
        return {"bytes": len(program) + len(certificates)}

    what = "smallest image of goapp"
    yield Group(
        arms={"ours": lambda: {"bytes": sizes[smallest]}, "limit": limit},
        rows=[
            Row("9", what, "its stripped program + CA certificates", "bytes", "B", 1.02, peers=("limit",)),
            Row("9-max", what, "15 MB, no UPX (the bar itself)", "bytes", "B", 1.0, documented=MOST),
        ],
        warm=0,
        exact=True,
        notes=lambda _: f"9: the smallest is {smallest}; {_others(sizes)}.",
    )


def file_content(here: Engine, reference: str, path: str) -> bytes:
    """A file of an image, which need not have a shell, nor be able to run."""
    with mapped(f"reading {path} of {reference}"):
        container = here.client.containers.create(reference, ["-"], labels={"local.kit.run": "1"})
        try:
            chunks, _ = container.get_archive(path)
            with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
                found = archive.extractfile(archive.getmembers()[-1])
                return found.read() if found else b""
        finally:
            container.remove()


def _others(sizes: dict[str, int]) -> str:
    return ", ".join(f"{name.removeprefix('goapp-')} {size / 1e6:.1f} MB" for name, size in sorted(sizes.items()))
