"""The stack of the metrics on the real cluster: samples, results of the rules, delivered alerts, and what is left afterwards."""

import re
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
import yaml

from kitlib.cluster import podproxy
from kitlib.cluster.bound import Cluster, Namespace
from kitlib.dashboards import ALL, RED
from kitlib.errors import ClusterError
from kitlib.kube import kustomize
from kitlib.measure.signals import cardinality
from kitlib.stacks import base
from kitlib.stacks import metrics as stack
from kitlib.telemetry import polling
from kitlib.telemetry.metrics import Metrics
from kitlib.views.panels import Page, view
from kitlib.workloads import app, traffic
from tests.cluster import settings

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
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """One that is gone before the next test begins: a pod that ends is a target that is down for a moment."""
    made = cluster.namespace("test-metrics", fresh=True)
    yield made
    made.undo()


@pytest.fixture
def shop(cluster: Cluster, metrics: Metrics, namespace: Namespace) -> Namespace:
    """A namespace with goapp in it, called shop, which is scraped."""
    namespace.apply(*app.manifests("shop", cluster.image(IMAGE), treatments=["scraped", "faults"]))
    app.roll_out(namespace, "shop")
    metrics.until(f'up{{job="pods", namespace="{namespace.name}"}} == 1')
    return namespace


def test_every_setting_arrives(cluster: Cluster, metrics: Metrics) -> None:
    """Each option and variable of each manifest is one of the process that runs."""
    assert metrics
    assert [settings.lost(cluster, settings.manifests(it)) for it in stack.STACKS] == [{}, {}, {}]


def test_every_setting_of_goapp_arrives(cluster: Cluster, shop: Namespace) -> None:
    """Those of the base and of its treatments; a fault endpoint is there because its variable arrived."""
    manifests = app.manifests("shop", cluster.image(IMAGE), treatments=["scraped", "faults"])
    (pod,) = app.pods(shop, "shop")

    assert settings.lost(cluster, manifests, shop.name) == {}
    assert app.ask(shop, pod, "/faults").status == 200


def test_prometheus_runs_with_its_manifest_and_files(metrics: Metrics) -> None:
    """Asked for its options, its configuration and its rules, Prometheus says what the stack's files say."""
    options = dict(word.removeprefix("--").split("=", 1) for word in _args("Prometheus"))
    written, running = (
        yaml.safe_load(text) for text in (_file("prometheus/prometheus.yml"), metrics.ask("status/config")["yaml"])
    )
    rules = [
        r.get("record") or r["alert"]
        for g in yaml.safe_load(_file("prometheus/rules.yml"))["groups"]
        for r in g["rules"]
    ]

    folder = options["config.file"].rpartition("/")[0]
    written["rule_files"] = [
        f"{folder}/{name}" for name in written["rule_files"]
    ]  # Prometheus shows them as whole paths

    assert list(settings.differences(options, metrics.ask("status/flags"))) == []
    assert list(settings.differences(written, running)) == []
    assert sorted(metrics.rules()["name"]) == sorted(rules)  # it has the groups in an order of its own
    assert set(metrics.rules()["health"]) == {"ok"}


def test_alertmanager_runs_with_its_file(metrics: Metrics) -> None:
    """Asked for its configuration, Alertmanager says what the stack's file says; addresses are secrets to it."""
    running = yaml.safe_load(_said(metrics, "alertmanager-0", 9093, "api/v2/status")["config"]["original"])
    written = yaml.safe_load(_file("alertmanager/alertmanager.yml"))
    differences = [found for found in settings.differences(written, running) if "<secret>" not in found]

    assert differences == []
    assert running["route"]["group_wait"] == "1s"


def test_exporters_collect_what_their_manifests_say(metrics: Metrics) -> None:
    """kube-state-metrics lists the kinds of its option, and node-exporter runs none of the collectors that are switched off."""
    (state,) = metrics.namespace.cluster.kube.list(
        "Pod", metrics.namespace.name, labels="app.kubernetes.io/name=kube-state-metrics"
    )
    (asked,) = (
        word.removeprefix("--resources=").split(",") for word in _args("kube-state-metrics") if "--resources=" in word
    )
    own = _said(metrics, state["metadata"]["name"], 8081, "metrics")
    listed = {kind.lower() for kind in re.findall(r'kube_state_metrics_list_total\{resource="\*v\d\w*\.(\w+)"', own)}
    off = {
        word.removeprefix("--no-collector.") for word in _args("node-exporter") if word.startswith("--no-collector.")
    }
    running = set(metrics.until("node_scrape_collector_success")["collector"])

    assert {f"{kind}s" for kind in listed} == set(asked)
    assert off
    assert running
    assert running & off == set()


def _args(name: str) -> list[str]:
    """The options that a workload of the stack's manifests gives its container."""
    objects = kustomize.render({"resources": [f"stacks/{it.name}" for it in stack.STACKS]})
    (found,) = (m for m in objects if m["kind"] in base.WORKLOADS and m["metadata"]["name"] == name.lower())
    (container,) = found["spec"]["template"]["spec"]["containers"]
    return list(container["args"])


def _file(path: str) -> str:
    return (kustomize.CLUSTER / "stacks" / stack.STORE.name / path).read_text()


def _said(metrics: Metrics, pod: str, port: int, path: str) -> Any:
    return podproxy.request(metrics.namespace, pod, port, path, method="GET", body=None, seconds=10).body


def test_every_kind_of_target_is_up(metrics: Metrics, shop: Namespace) -> None:
    """Prometheus, Alertmanager, kube-state-metrics, each node's exporter and kubelet, and pods that ask for it."""
    found = metrics.targets()

    assert shop.name in set(found["namespace"])
    assert set(found["job"]) == {*stack.JOBS, "pods"}
    assert found[found["health"] != "up"].to_dict("records") == []
    assert metrics.troubles() == []


def test_every_source_says_what_it_is_for(metrics: Metrics, shop: Namespace) -> None:
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


def test_every_request_is_counted(metrics: Metrics, shop: Namespace) -> None:
    """Of a known load, Prometheus has as many requests as were sent and answered; and the RED figures have values."""
    with traffic.open_loop(shop, f"http://shop.{shop.name}/items", rate=50, seconds=10) as load:
        pass
    sent = load.results()
    counted = ITEMS.format(shop.name)
    metrics.until(f"sum({counted}) >= {len(sent)}", seconds=20)
    red = {name: len(metrics.query(f'{name}{{namespace="{shop.name}", app="shop"}}')) for name in RULES}

    assert metrics.value(f"sum({counted})") == len(sent) == 500
    assert red == dict.fromkeys(RULES, 1)


def test_samples_are_as_far_apart_as_their_interval(metrics: Metrics, shop: Namespace) -> None:
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


def test_an_exemplar_names_the_trace(metrics: Metrics, shop: Namespace) -> None:
    """A request of a trace that is kept stands for its bucket, and Prometheus has its trace's id."""
    start = pd.Timestamp.now("UTC")
    headers = {"Traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    with traffic.open_loop(shop, f"http://shop.{shop.name}/items", rate=10, seconds=5, headers=headers):
        pass
    metrics.until(f"sum({ITEMS.format(shop.name)}) >= 50", seconds=20)
    buckets = ITEMS.format(shop.name).replace("_count", "_bucket")
    found = metrics.exemplars(buckets, start, pd.Timestamp.now("UTC"))

    assert set(found["trace_id"]) == {TRACE}


def test_an_alert_is_delivered_and_resolved(metrics: Metrics, shop: Namespace) -> None:
    """Errors are injected: the alert fires and reaches the receiver with its labels; after healing, its end also reaches the receiver."""
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


def test_a_burst_on_a_fresh_pod_raises_its_alert(cluster: Cluster, metrics: Metrics, namespace: Namespace) -> None:
    """Twenty requests fail within the first seconds of a pod, then it is silent: the alert fires all the same."""
    namespace.apply(*app.manifests("shop", cluster.image(IMAGE), treatments=["scraped", "faults"]))
    app.roll_out(namespace, "shop")
    (pod,) = app.pods(namespace, "shop")
    app.inject(namespace, pod, "error", lease="3m", rate=1)
    answers = [app.ask(namespace, pod, "/items").status for _ in range(20)]
    fired = metrics.delivered("HighErrorRate", {"namespace": namespace.name, "app": "shop"}, seconds=60)

    assert answers == [500] * 20
    assert not fired.empty


def test_a_target_that_is_down_is_named(cluster: Cluster, metrics: Metrics, namespace: Namespace) -> None:
    """A path that goapp does not have: the target is down, and the line says why and what to do."""
    manifests = app.manifests("shop", cluster.image(IMAGE), treatments=["scraped"])
    (deployment,) = (m for m in manifests if m["kind"] == "Deployment")
    deployment["spec"]["template"]["metadata"]["annotations"]["prometheus.io/path"] = "/actuator/prometheus"
    namespace.apply(*manifests)
    app.roll_out(namespace, "shop")
    (line,) = polling.until(  # pods of other tests may be ending
        lambda: [line for line in metrics.troubles() if "/actuator/prometheus" in line],
        bool,
        failure=lambda _: "the target is not called down",
        seconds=30,
        observed=metrics.troubles,
    )

    assert "404" in line
    assert "path of its annotations" in line


def test_every_panel_has_data(metrics: Metrics, shop: Namespace) -> None:
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


def test_a_dashboard_is_drawn(metrics: Metrics, shop: Namespace) -> None:
    """In a headless run, it is figures and a table."""
    metrics.until(f'rate(http_request_duration_seconds_count{{namespace="{shop.name}"}}[20s])')
    page = view(metrics, RED, namespace=shop.name, span="1 minute")

    assert isinstance(page, Page)
    assert "Goroutines" not in page.empty
    assert "<svg" in page.html()
    assert set(page.table["panel"]) == {panel.title for panel in RED.panels}


def test_a_label_too_many(metrics: Metrics, shop: Namespace) -> None:
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
