"""A cell that ends with one of these shows one short line, which names it as kubectl does."""

from __future__ import annotations

from typing import Any, cast

import pytest

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.host.identity import Identity
from kitlib.kube.client import Ref

RECORD = Identity("kit", "0123456789abcdef", "2026-01-02T03:04:05+00:00", ca="f" * 64, kube_system="uid")
CLUSTER = Cluster(cast(Any, object()), RECORD)


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (Ref("apps/v1", "Deployment", "catalog", "uid", "kit-deployment"), "Deployment/catalog in kit-deployment"),
        (Ref("v1", "Namespace", "kit-deployment", "uid"), "Namespace/kit-deployment"),
        ([Ref("v1", "Pod", "a", "uid", "n"), Ref("v1", "Pod", "b", "uid", "n")], "[Pod/a in n, Pod/b in n]"),
        (Namespace(CLUSTER, Ref("v1", "Namespace", "kit-deployment", "uid")), "Namespace kit-deployment"),
        (RECORD, "Identity of cluster kit, created 2026-01-02T03:04:05+00:00"),
        (CLUSTER, "Cluster kit, 1 node"),
        (Cluster(cast(Any, object()), RECORD.__class__("a", "m", "t", profile="two-node")), "Cluster a, 2 nodes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_cell_shows(shown: object, text: str) -> None:
    """No uid, no mark, no CA: only what a reader looks for."""
    assert repr(shown) == text
