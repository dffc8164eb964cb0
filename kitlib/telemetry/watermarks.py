"""How much room Elasticsearch leaves on its disk: below a watermark it puts no shard there, or takes no line any more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import yaml

from kitlib import paths

MANIFEST = paths.ROOT / "cluster" / "stacks" / "logs" / "elasticsearch-statefulset.yaml"
PREFIX = "cluster.routing.allocation.disk.watermark."
GIB = 1 << 30
UNITS = {"b": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": GIB, "tb": 1 << 40, "pb": 1 << 50}
HEADROOM = {
    "low": 200 * GIB,
    "high": 150 * GIB,
    "flood_stage": 100 * GIB,
}  # a share of a large disk asks for no more than that
FOLLOWS = {  # from the worst on: what becomes of a store with less room
    "flood_stage": "takes no line",
    "high": "gives no new index a place",
    "low": "gives no replica a place, and is close to taking no line",
}


@dataclass(frozen=True)
class Passed:
    """The lowest watermark that a disk is below.  stage: low, high or flood_stage.  set: as it is set.  free: bytes."""

    stage: str
    set: str
    free: float

    @property
    def serious(self) -> bool:
        """Whether an index can be made no more, or nothing written."""
        return self.stage != "low"

    def __str__(self) -> str:
        return f"{self.free / GIB:.1f} GiB free, below its {self.stage} watermark of {self.set}: Elasticsearch {FOLLOWS[self.stage]}"


def passed(free: float, total: float, marks: Mapping[str, str]) -> Passed | None:
    """The watermark that a disk has passed; None when there is room.  free, total: bytes.  marks: stage → setting: `2gb`, `85%`, `0.85`."""
    for stage in FOLLOWS:
        if stage in marks and free < least(marks[stage], total, HEADROOM[stage]):
            return Passed(stage, marks[stage], free)
    return None


def least(setting: str, total: float, headroom: float) -> float:
    """Bytes that must be free by a setting.  Raises ValueError for a text that is not a watermark."""
    text = setting.strip().lower()
    if found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgtp]?b)", text):
        return float(found[1]) * UNITS[found[2]]
    used = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    return min(total * (1 - used), headroom)


@cache
def declared() -> Mapping[str, str]:
    """The stack's own, by stage, as its manifest sets them."""
    (container,) = yaml.safe_load(MANIFEST.read_text())["spec"]["template"]["spec"]["containers"]
    return of({entry["name"]: entry.get("value", "") for entry in container["env"]})


def of(settings: Mapping[str, str]) -> Mapping[str, str]:
    """The watermarks among Elasticsearch's settings, by stage."""
    return {stage: settings[PREFIX + stage] for stage in FOLLOWS if PREFIX + stage in settings}
