"""A Debian root file system as an image, from the machine's own Debian mirror."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kitlib.engine.client import Engine
from kitlib.engine.errors import mapped
from kitlib.errors import BuildFailed
from kitlib.host import debian, proc
from kitlib.host.console import step


def make(engine: Engine, tag: str, settings: dict[str, Any], labels: dict[str, str]) -> None:
    """settings: suite, include (packages), exclude (paths).  Raises BuildFailed with mmdebstrap's last lines."""
    debian.need(["mmdebstrap"], why="a Debian root file system")
    with TemporaryDirectory() as tmp, step(f"building image {tag}") as line:
        archive = Path(tmp) / "rootfs.tar"
        excludes = [f"--dpkgopt=path-exclude={path}" for path in settings["exclude"]]
        include = f"--include={','.join(settings['include'])}"
        proc.run(
            ["mmdebstrap", "--variant=minbase", *excludes, include, settings["suite"], archive],
            env={"LC_ALL": "C.UTF-8"},
            on_line=line,
            error=BuildFailed,
        )
        repository, _, version = tag.rpartition(":")
        with mapped(f"importing {tag}"):
            changes = ['CMD ["bash"]', *(f'LABEL {k}="{v}"' for k, v in labels.items())]
            engine.client.api.import_image_from_file(str(archive), repository=repository, tag=version, changes=changes)
