"""All three signals on the real cluster: what each must say of one request, and what they say of faults."""

import secrets
from collections.abc import Iterator

import pandas as pd
import pytest

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.gameday import chains, detective, faults, matrix
from kitlib.stacks import base
from kitlib.stacks import signals as stack
from kitlib.stacks.signals import Signals
from kitlib.workloads import app

MOST = 8 << 30  # bytes of memory of all three stacks
NAMESPACES = "kit-(metrics|logs|traces).*"


@pytest.fixture(scope="module")
def signals(cluster: Cluster) -> Iterator[Signals]:
    """All three stacks."""
    yield stack.install(cluster)
    stack.remove(cluster)


@pytest.fixture
def chain(cluster: Cluster, signals: Signals) -> Iterator[Namespace]:
    """A chain of its own, which all three see; its name is new, so that no alert about an earlier one is taken for its own."""
    name = f"test-{secrets.token_hex(2)}"
    made = chains.apply(cluster, [name])[name]
    chains.ready([made])
    signals.metrics.until(f'count(up{{job="pods", namespace="{made.name}"}} == 1) == {len(app.CHAIN)}')
    yield made
    made.undo()


@pytest.fixture
def seen(chain: Namespace, signals: Signals) -> pd.DataFrame:
    """The matrix of one request."""
    return matrix.of(matrix.request(chain, signals), chain.name, signals)


def test_every_signal_has_every_field_of_every_service(seen: pd.DataFrame) -> None:
    """Service × signal × field: no value is missing, and no service."""
    missing = seen[~seen["there"]][["service", "signal", "field"]].values.tolist()
    fields = {"logs": len(matrix.LOGS), "metrics": len(matrix.METRICS), "traces": len(matrix.TRACES)}

    assert missing == []
    assert seen.groupby("signal").size().to_dict() == {name: 3 * count for name, count in fields.items()}


def test_the_signals_agree_about_a_request(seen: pd.DataFrame) -> None:
    """One id, and of each service one name, one pod, one status and one route in all three; each was called by the one before it."""
    value = seen.set_index(["service", "signal", "field"])["value"]

    assert len(set(seen[seen["field"] == "trace_id"]["value"])) == 1
    assert [value[name, "traces", "parent"] for name in app.CHAIN] == ["none", "gateway", "catalog"]
    for name in app.CHAIN:
        assert {value[name, *at] for at in (("logs", "service"), ("metrics", "app"), ("traces", "service.name"))} == {
            name
        }
        assert len({value[name, *at] for at in (("logs", "pod"), ("metrics", "pod"), ("traces", "k8s.pod.name"))}) == 1
        status = (("logs", "status"), ("metrics", "code"), ("traces", "http.response.status_code"))
        assert {value[name, *at] for at in status} == {"200"}
        assert {value[name, *at] for at in (("logs", "path"), ("metrics", "route"), ("traces", "http.route"))} == {
            "/items"
        }


def test_all_three_fit_beside_each_other(chain: Namespace, signals: Signals) -> None:
    """What they use together, as the kubelet has it."""
    assert chain
    signals.metrics.until(f'container_memory_working_set_bytes{{namespace="{chain.name}"}}')
    used = signals.metrics.value(f'sum(container_memory_working_set_bytes{{namespace=~"{NAMESPACES}", container!=""}})')

    assert 0 < used < MOST


def test_faults_come_and_go(chain: Namespace) -> None:
    """Each is there once it is injected, alone, and gone once it is repaired; after all of them the chain is well."""
    for fault in faults.ALL:
        fault.inject(chain)
        there = [other.name for other in faults.ALL if other.present(chain)]
        fault.repair(chain)

        assert there == [fault.name]
        assert not fault.present(chain)
    assert chains.settled(chain) == []


@pytest.mark.parametrize("name", ["hang", "selector"])
def test_an_alert_leads_to_the_fault(name: str, chain: Namespace, signals: Signals) -> None:
    """By a request that is held, and where no server hears of any."""
    chains.load(chain, 120)
    faults.named(name).inject(chain)
    fault, trail = detective.find(chain, signals)

    assert fault.name == name
    assert trail.service == fault.service
    assert (trail.request is not None) == (fault.told == "requests")


def test_removed_without_a_trace(cluster: Cluster, signals: Signals) -> None:
    """Nothing is left of any of the stacks."""
    assert signals
    stack.remove(cluster)

    assert stack.find(cluster) is None
    assert [ref for it in stack.STACKS for ref in base.left(cluster, it)] == []
