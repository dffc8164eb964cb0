"""Which pod a trial of a changed ConfigMap looks at, without a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from kitlib.measure.workloads import reload
from kitlib.workloads import app


def test_the_repeats_of_a_way_look_at_different_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    """The n-th trial of a way has its n-th pod, in whatever order the ways are mixed; two ways can share an instance."""
    monkeypatch.setattr(app, "pods", lambda _, name: [{"metadata": {"uid": f"{name}-{n}"}} for n in (2, 1)])
    monkeypatch.setattr(reload.Change, "_sample", lambda *_: None)
    seen: list[tuple[str, str]] = []

    def look(_: object, pod: Any, key: str) -> dict[str, float]:
        seen.append((pod["metadata"]["uid"], key))
        return {"injected": 1.0}

    monkeypatch.setattr(reload.Change, "_look", look)
    namespace: Any = None
    changed = reload.Change(namespace, "second", 0.0)
    changed.arrivals([{"way": way} for way in ("volume", "environment", "subPath", "environment", "subPath", "volume")])

    assert seen == [
        ("config-1", "file"),
        ("config-1", "env"),
        ("config-subpath-1", "file"),
        ("config-2", "env"),
        ("config-subpath-2", "file"),
        ("config-2", "file"),
    ]
