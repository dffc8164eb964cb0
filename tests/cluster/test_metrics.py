"""The stack of the metrics on the real cluster: what is scraped, what the rules make of it, who is told, what is left of it."""

from collections.abc import Iterator

import pandas as pd
import pytest

from kitlib import app, traffic
from kitlib.cluster import Cluster, Space
from kitlib.dashboards import ALL, RED
from kitlib.errors import ClusterError
from kitlib.measure import cardinality
from kitlib.stacks import base
from kitlib.stacks import metrics as stack
from kitlib.telemetry.metrics import Metrics
from kitlib.telemetry.panels import Page, view

IMAGE = "goapp-scratch"
ITEMS = 'http_request_duration_seconds_count{{namespace="{0}", app="shop", route="/items"}}'
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
RULES = ("app:http_requests:rate30s", "app:http_errors:ratio30s", "app:http_request_duration_seconds:p99_30s")


@pytest.fixture(scope="module")
def metrics(cluster: Cluster) -> Iterator[Metrics]:
    """The stack, installed twice in a row."""
    stack.install(cluster)
    yield stack.install(cluster)
    stack.remove(cluster)


@pytest.fixture
def space(cluster: Cluster) -> Iterator[Space]:
    """One that is gone before the next test begins: a pod that ends is a target that is down for a moment."""
    made = cluster.space("test-metrics", fresh=True)
    yield made
    made.undo()


@pytest.fixture
def shop(cluster: Cluster, metrics: Metrics, space: Space) -> Space:
    """A namespace with goapp in it, called shop, which is scraped."""
    space.apply(*app.manifests("shop", cluster.image(IMAGE), treatments=["scraped", "faults"]))
    app.roll_out(space, "shop")
    metrics.until(f'up{{job="pods", namespace="{space.name}"}} == 1')
    return space


def test_every_kind_of_target_is_up(metrics: Metrics, shop: Space) -> None:
    """Prometheus, Alertmanager, kube-state-metrics, each node's exporter and kubelet, and pods that ask for it."""
    found = metrics.targets()

    assert shop.name in set(found["namespace"])
    assert set(found["job"]) == {*stack.JOBS, "pods"}
    assert found[found["health"] != "up"].to_dict("records") == []
    assert metrics.troubles() == []


def test_every_source_says_what_it_is_for(metrics: Metrics, shop: Space) -> None:
    """Objects, containers, the program itself and the node."""
    of = f'namespace="{shop.name}"'
    sources = [
        f'kube_deployment_status_replicas_available{{{of}, deployment="shop"}} == 1',
        f'container_memory_working_set_bytes{{{of}, container="goapp"}} > 0',
        f'go_goroutines{{{of}, app="shop"}} > 0',
        f'process_resident_memory_bytes{{{of}, app="shop"}} > 0',
        "node_memory_MemAvailable_bytes > 0",
        'node_filesystem_avail_bytes{mountpoint="/"} > 0',
        "rate(node_cpu_seconds_total[30s]) >= 0",
    ]
    empty = [source for source in sources if metrics.until(source).empty]

    assert empty == []


def test_every_request_is_counted(metrics: Metrics, shop: Space) -> None:
    """Of a known load, Prometheus has as many requests as were sent and answered; and the RED figures have values."""
    with traffic.open_loop(shop, f"http://shop.{shop.name}/items", rate=50, seconds=10) as load:
        pass
    sent = load.results()
    counted = ITEMS.format(shop.name)
    metrics.until(f"sum({counted}) >= {len(sent)}", seconds=20)
    red = {name: len(metrics.query(f'{name}{{namespace="{shop.name}", app="shop"}}')) for name in RULES}

    assert metrics.value(f"sum({counted})") == len(sent) == 500
    assert red == dict.fromkeys(RULES, 1)


def test_samples_are_as_far_apart_as_their_interval(metrics: Metrics, shop: Space) -> None:
    """The annotation `prometheus.io/interval` sets a pod's own."""
    note = {"prometheus.io/interval": "1s"}
    kube = shop.cluster.kube
    kube.patch("Deployment", "shop", shop.name, {"spec": {"template": {"metadata": {"annotations": note}}}})
    app.roll_out(shop, "shop")
    (pod,) = app.pods(shop, "shop")
    own = f'up{{job="pods", pod="{pod["metadata"]["name"]}"}}'
    metrics.until(f"count_over_time({own}[10s]) >= 5")
    targets = metrics.targets()

    assert list(targets[targets["pod"] == pod["metadata"]["name"]]["interval"]) == [1.0]


def test_an_exemplar_names_the_trace(metrics: Metrics, shop: Space) -> None:
    """A request of a trace that is kept stands for its bucket, and Prometheus has its trace's id."""
    start = pd.Timestamp.now("UTC")
    headers = {"Traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    with traffic.open_loop(shop, f"http://shop.{shop.name}/items", rate=10, seconds=5, headers=headers):
        pass
    metrics.until(f"sum({ITEMS.format(shop.name)}) >= 50", seconds=20)
    buckets = ITEMS.format(shop.name).replace("_count", "_bucket")
    found = metrics.exemplars(buckets, start, pd.Timestamp.now("UTC"))

    assert set(found["trace_id"]) == {TRACE}


def test_an_alert_is_delivered_and_resolved(metrics: Metrics, shop: Space) -> None:
    """Errors are injected: the alert fires and reaches the receiver with its labels; healed, its end reaches it, too."""
    (pod,) = app.pods(shop, "shop")
    about = {"namespace": shop.name, "app": "shop"}
    with traffic.open_loop(shop, f"http://shop.{shop.name}/items", rate=20, seconds=240, name="customers") as load:
        app.inject(shop, pod, "error", lease="3m", rate=0.5)
        fired = metrics.delivered("HighErrorRate", about)
        alerts = metrics.alerts()
        app.heal(shop, pod, "error")
        resolved = metrics.delivered("HighErrorRate", about, status="resolved")
        load.stop()

    assert set(fired["severity"]) == {"critical"}
    assert set(alerts[alerts["alert"] == "HighErrorRate"]["state"]) == {"firing"}
    assert fired["summary"].str.contains("of the requests to shop fail").all()
    assert (fired["received"] >= fired["starts"]).all()
    assert resolved["ends"].notna().all()


def test_a_target_that_is_down_is_named(cluster: Cluster, metrics: Metrics, space: Space) -> None:
    """A path that goapp does not have: the target is down, and the line says why and what to do."""
    manifests = app.manifests("shop", cluster.image(IMAGE), treatments=["scraped"])
    (deployment,) = (m for m in manifests if m["kind"] == "Deployment")
    deployment["spec"]["template"]["metadata"]["annotations"]["prometheus.io/path"] = "/actuator/prometheus"
    space.apply(*manifests)
    app.roll_out(space, "shop")
    metrics.until(f'up{{job="pods", namespace="{space.name}"}} == 0')
    (line,) = metrics.troubles()

    assert "404" in line
    assert "path of its annotations" in line


def test_every_panel_has_data(metrics: Metrics, shop: Space) -> None:
    """Each query of each panel of each dashboard, while goapp is under load."""
    with traffic.open_loop(shop, f"http://shop.{shop.name}/items", rate=20, seconds=30):
        metrics.until(f'app:http_requests:rate30s{{namespace="{shop.name}", app="shop"}} > 0')
        metrics.until(f'rate(container_cpu_usage_seconds_total{{namespace="{shop.name}", container="goapp"}}[1m])')
    queries = {
        f"{board.name}, {panel.title}: {query.legend}": query.filled(namespace=shop.name)
        for board in ALL.values()
        for panel in board.panels
        for query in panel.queries
    }
    empty = [name for name, query in queries.items() if metrics.query(query).empty]

    assert queries
    assert empty == []


def test_a_dashboard_is_drawn(metrics: Metrics, shop: Space) -> None:
    """With nobody to click, it is figures and a table."""
    metrics.until(f'rate(http_request_duration_seconds_count{{namespace="{shop.name}"}}[20s])')
    page = view(metrics, RED, namespace=shop.name, span="1 minute")

    assert isinstance(page, Page)
    assert "Goroutines" not in page.empty
    assert "<svg" in page.html()
    assert set(page.table["panel"]) == {panel.title for panel in RED.panels}


def test_a_label_too_many(metrics: Metrics, shop: Space) -> None:
    """Four ways to scrape the same exploding target, by a Prometheus of one's own; the stack's keeps none of it."""
    table = cardinality.explode(shop, f"http://shop.{shop.name}/items").table.set_index("job")

    assert table["series"]["as it is"] > cardinality.USERS
    assert table["counted"]["as it is"] >= cardinality.USERS
    assert table["health"]["sample_limit"] == "down"
    assert "sample limit" in table["error"]["sample_limit"]
    assert table["counted"]["labeldrop"] < table["counted"]["as it is"] / 100
    assert table["series"]["drop"] < 100
    assert table["health"]["drop"] == "up"
    assert metrics.query("request_seconds_count").empty


def test_a_query_that_is_none_is_refused(metrics: Metrics) -> None:
    """Prometheus' own words."""
    with pytest.raises(ClusterError, match="parse error"):
        metrics.query("sum(")


def test_usage_is_served(metrics: Metrics) -> None:
    """metrics-server has figures of the containers of the stack itself."""
    found = metrics.usage(stack.STORE.instance)

    assert set(found["container"]) == {"prometheus", "alertmanager", "receiver", "kube-state-metrics"}
    assert (found["memory"] > 0).all()


def test_removed_without_a_trace(cluster: Cluster, metrics: Metrics) -> None:
    """Nothing is left in the cluster."""
    assert metrics
    stack.remove(cluster)
    left = [ref for it in stack.STACKS for ref in base.left(cluster, it)]
    namespaces = {n["metadata"]["name"] for n in cluster.kube.list("Namespace")}

    assert left == []
    assert stack.find(cluster) is None
    assert namespaces & {it.instance for it in stack.STACKS} == set()
    assert cluster.kube.get("APIService", "v1beta1.metrics.k8s.io") is None
