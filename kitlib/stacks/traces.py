"""The stack of the traces: an OpenTelemetry Collector, and Jaeger behind it (cluster/stacks/traces).

Spans are in Jaeger's memory, or in the Elasticsearch of the stack of the logs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from IPython.display import Markdown

from kitlib.cluster import reach
from kitlib.cluster.bound import Cluster, Namespace
from kitlib.errors import ClusterError
from kitlib.kube import kustomize, wait
from kitlib.kube.client import STRATEGIC, Ref
from kitlib.stacks import base, logs
from kitlib.stacks.pages import Site
from kitlib.supply import images
from kitlib.telemetry.traces import PORT as QUERY
from kitlib.telemetry.traces import Traces

MEMORY = base.Stack("traces", images=("jaeger", "otelcol"))
ELASTICSEARCH = base.Stack("traces", images=MEMORY.images, components=("elasticsearch",))
Storage = Literal["memory", "elasticsearch"]
STACKS: dict[Storage, base.Stack] = {"memory": MEMORY, "elasticsearch": ELASTICSEARCH}
Part = Literal["collector", "jaeger"]
TAIL_SAMPLING = (kustomize.CLUSTER / "stacks" / MEMORY.name / "collector" / "tail-sampling.yaml").read_text()
OTLP = 4318  # the port for spans, of either
SECONDS = 60
INDICES = "kit-traces-"  # how the names of Jaeger's indices and templates begin


def install(cluster: Cluster, storage: Storage = "memory") -> Traces:
    """Install collector and Jaeger and wait until they are ready; another storage, or an overlay of the collector, is replaced.

    Raises what `base.install` does, WaitTimeout when one does not take spans, and ClusterError when there is no Elasticsearch for that
    storage.
    """
    if storage == "elasticsearch" and logs.find(cluster) is None:
        raise ClusterError(
            "there is no Elasticsearch to store spans in",
            hint="./kit stacks install logs",
        )
    namespace = base.install(cluster, STACKS[storage])
    _reached(cluster, get_args(Part), SECONDS)
    return Traces(namespace)


def find(cluster: Cluster) -> Traces | None:
    """The traces if the stack was installed."""
    namespace = base.find(cluster, MEMORY)
    return Traces(namespace) if namespace else None


def overlay(cluster: Cluster, text: str, *, of: Part = "collector", seconds: float = SECONDS) -> None:
    """Roll out a part with this YAML laid over its configuration: maps are merged, lists replaced; "{}" removes the overlay.

    A new Jaeger has forgotten what was in its memory.  Raises WaitTimeout with the part's own message when it does not accept the text.
    """
    kube, namespace = cluster.kube, MEMORY.instance
    container = {"name": of, "env": [{"name": "OVERLAY", "value": text}]}
    change = {"spec": {"template": {"spec": {"containers": [container]}}}}
    kube.patch("StatefulSet", of, namespace, change, content=STRATEGIC)
    for pod in kube.list("Pod", namespace, labels=f"app.kubernetes.io/name={of}"):
        kube.delete(Ref.of(pod))  # one that never became ready would not be replaced (Kubernetes: forced rollback)
    wait.until(kube, "StatefulSet", of, namespace, done=base.READY["StatefulSet"], what="ready", seconds=seconds)
    _reached(cluster, [of], seconds)


def _reached(cluster: Cluster, parts: Iterable[Part], seconds: float) -> None:
    """Wait until the Services lead to the pods that are there now; spans that are sent before can be lost without an error."""
    namespace = base.find(cluster, MEMORY)
    assert namespace is not None
    reach.services(namespace, parts, at=f":{OTLP}/v1/traces", body="{}", seconds=seconds)


def page(traces: Traces) -> Site | Markdown:
    """Jaeger's own pages, or why there are none: they are not in the Go module that the image is built from."""
    if images.image("jaeger").pulled:
        return Site(traces.namespace, "statefulset/jaeger", QUERY)
    return Markdown(
        "This Jaeger is built from its Go module, which does not have its pages; with `KIT_SUPPLY=upstream` they are there."
    )


def remove(cluster: Cluster, *beside: Namespace) -> None:
    """Remove both with every span, also in Elasticsearch; returns when they are gone.  beside: namespaces removed at the same time."""
    base.remove_all(cluster, (MEMORY,), beside)
    if store := logs.find(cluster):
        for index in store.ask("GET", f"_cat/indices/{INDICES}*?format=json"):
            store.ask("DELETE", index["index"])
        for template in store.ask("GET", "_index_template")["index_templates"]:
            if template["name"].startswith(INDICES):  # a pattern that fits none is an error
                store.ask("DELETE", f"_index_template/{template['name']}")
