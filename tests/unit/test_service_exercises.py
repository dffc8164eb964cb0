"""What decides the exercises of 3.3, where it is a pure function."""

from __future__ import annotations

import pytest
import yaml

from kitlib import paths
from kitlib.exercises import service_ingress

TWO_EACH = {"shop": 2, "shop-next": 2}
FILES = paths.ROOT / "notebooks" / "files" / service_ingress.CHAPTER


@pytest.mark.parametrize(
    ("served", "pods", "word"),
    [
        ({"shop": 30, "shop-next": 10}, TWO_EACH, ""),
        ({"shop": 29, "shop-next": 11}, TWO_EACH, ""),
        ({"shop": 40}, TWO_EACH, "names shop-next"),
        ({"shop": 20, "shop-next": 20}, TWO_EACH, "the same share"),
        ({"shop": 10, "shop-next": 30}, TWO_EACH, "larger weight"),
        ({"shop": 30, "shop-next": 10}, {"shop": 3, "shop-next": 1}, "how many pods"),
        ({"shop": 20, "shop-next": 10, "Traefik": 10}, TWO_EACH, "reach no pod"),
    ],
)
def test_a_quarter_of_the_requests_is_told_from_what_resembles_it(
    served: dict[str, int], pods: dict[str, int], word: str
) -> None:
    """Equal shares, swapped weights, a release that gets nothing, a share made by the number of pods, and requests without a pod."""
    look = service_ingress.uneven(served, pods)

    assert bool(look) is bool(word) and word in look


def test_the_scene_is_what_the_check_expects() -> None:
    """The Service `front` has the selector that counts as not attempted, and no pod has that label."""
    objects = list(yaml.safe_load_all((FILES / "exercise-selector.yaml").read_text()))
    (front,) = (found for found in objects if found["kind"] == "Service")
    labels = [found["spec"]["template"]["metadata"]["labels"] for found in objects if found["kind"] == "Deployment"]

    assert front["spec"]["selector"] == service_ingress.BROKEN
    assert [found for found in labels if service_ingress.BROKEN.items() <= found.items()] == []


@pytest.mark.parametrize(
    "kind",
    [service_ingress.Selector, service_ingress.Hosts, service_ingress.Prefix, service_ingress.Canary],
    ids=lambda kind: kind.__name__,
)
def test_a_starter_file_makes_the_scene(kind: type[service_ingress._Scene]) -> None:
    """Its namespace, which the Gateway takes routes from, and nothing whose name reset would not delete."""
    namespace, *objects = yaml.safe_load_all((FILES / f"{kind.space}.yaml").read_text())
    (deployments, services) = (
        {o["metadata"]["name"] for o in objects if o["kind"] == k} for k in ("Deployment", "Service")
    )

    assert namespace["metadata"]["name"] == f"kit-{kind.space}"
    assert namespace["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "kit"}
    assert {o["metadata"]["namespace"] for o in objects} == {f"kit-{kind.space}"}
    assert deployments | services == set(kind.instances)
