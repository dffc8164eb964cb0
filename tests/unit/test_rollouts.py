"""A setting is a cell of the grid; its manifests say what its name says."""

from __future__ import annotations

import pytest

from kitlib.errors import UsageError
from kitlib.kube.client import Object
from kitlib.measure.workloads.rollouts import GRID, PODS, SETTINGS, SLOW, STRATEGIES, Setting


def deployment(text: str, env: dict[str, str] | None = None) -> Object:
    manifests = Setting.parse(text).manifests("web", "kit.local/goapp:1", env)
    return next(m for m in manifests if m["kind"] == "Deployment")


def container(text: str, env: dict[str, str] | None = None) -> Object:
    found: Object = deployment(text, env)["spec"]["template"]["spec"]["containers"][0]
    return found


def test_the_grid_is_every_pod_with_every_strategy() -> None:
    """`full` has all of it, `quick` each pod once and one of the worst strategy."""
    assert len(GRID) == len(PODS) * len(STRATEGIES) >= 12
    assert SETTINGS["full"] == GRID
    assert set(SETTINGS["quick"]) < set(GRID)
    assert len(SETTINGS["quick"]) == len(PODS) + 1


@pytest.mark.parametrize("text", GRID)
def test_a_setting_survives_its_name(text: str) -> None:
    """Its two parts come back from the text, and its slug fits into the name of a Kubernetes object."""
    setting = Setting.parse(text)

    assert f"{setting.pod}, {setting.strategy}" == text
    assert setting.slug.replace("-", "").isalpha()
    assert len(setting.slug) <= 40


def test_another_setting_is_refused_with_those_that_exist() -> None:
    """A typing error must not become a treatment of its own."""
    with pytest.raises(UsageError, match="one of drain, one more"):
        Setting.parse("drain, two more")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_strategy_is_in_the_deployment(strategy: str) -> None:
    """maxSurge and maxUnavailable are those of the table."""
    update = deployment(f"drain, {strategy}")["spec"]["strategy"]["rollingUpdate"]

    assert (update["maxSurge"], update["maxUnavailable"]) == STRATEGIES[strategy]


def test_the_pods_differ_in_what_their_names_say() -> None:
    """Only `no probe` lacks readiness, only the last one has a hook."""
    found = {pod: container(f"{pod}, one more") for pod in PODS}

    assert [pod for pod, c in found.items() if "readinessProbe" not in c] == ["no probe"]
    assert [pod for pod, c in found.items() if "lifecycle" in c] == ["abrupt + preStop"]


def test_what_is_rolled_out_differs_in_its_slow_start_alone() -> None:
    """So that the time and the failures belong to the rollout, and not to another program."""
    before, after = container("drain, one more"), container("drain, one more", SLOW)
    added = [e for e in after["env"] if e not in before.get("env", [])]

    assert added == [{"name": name, "value": value} for name, value in SLOW.items()]
    assert {k: v for k, v in after.items() if k != "env"} == {k: v for k, v in before.items() if k != "env"}
