"""A component's own pages: its port on this machine, in a frame in a live notebook, as a command in a headless run."""

from __future__ import annotations

import json

import psutil
import pytest
import requests

from kitlib.cluster.bound import Cluster, Namespace
from kitlib.errors import ClusterError
from kitlib.kube import wait
from kitlib.kube.client import Ref
from kitlib.stacks import grafana, kibana, pages
from kitlib.stacks.pages import Site
from kitlib.workloads import app

PORT = 8080


@pytest.fixture
def site(namespace: Namespace, monkeypatch: pytest.MonkeyPatch) -> Site:
    """goapp's list of items, as a user of JupyterLab sees it."""
    namespace.apply(*app.manifests("shop", namespace.cluster.image("goapp-scratch"), replicas=1))
    app.roll_out(namespace, "shop")
    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/4.1-logging.ipynb")
    return Site(namespace, "deployment/shop", PORT, "/items")


def _answers(address: str) -> bool:
    return bool(requests.get(address, timeout=10).json())


def test_a_page_is_a_frame_whose_address_answers(site: Site) -> None:
    """One port for all who ask, and only at the loopback address."""
    shown = site._repr_mimebundle_()
    (forward,) = [c for c in psutil.Process().children() if "port-forward" in c.cmdline()]

    assert _answers(shown["text/plain"])
    assert f'src="{shown["text/plain"]}"' in shown["text/html"].replace("'", '"')
    assert site.open() == shown["text/plain"]
    assert {c.laddr.ip for c in forward.net_connections("inet") if c.status == "LISTEN"} == {"127.0.0.1"}


def test_a_forward_whose_pod_is_gone_is_made_again(site: Site) -> None:
    """The page is the same, and leads to the new pod."""
    before = site.open()
    (pod,) = app.pods(site.namespace, "shop")
    kube, ref = site.namespace.cluster.kube, Ref.of(pod)
    kube.delete(ref)
    wait.until(kube, "Pod", ref.name, site.namespace.name, done=wait.gone, what="gone")
    app.roll_out(site.namespace, "shop")

    assert _answers(site.open())
    assert site.open() != before


def test_nothing_to_forward_is_told_in_kubectls_words(site: Site) -> None:
    """A workload that is not there is an error, and no empty frame."""
    with pytest.raises(ClusterError, match=r'(?s)deployment/none.*"none" not found'):
        Site(site.namespace, "deployment/none", PORT).open()


def test_headless_there_is_a_command_and_no_frame(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a headless run nothing is forwarded: the text says what to do."""
    monkeypatch.delenv("JPY_SESSION_NAME")
    shown = site._repr_mimebundle_()

    assert list(shown) == ["text/plain"]
    assert f"port-forward deployment/shop {PORT}" in json.dumps(shown)


def test_what_is_not_there_says_why(cluster: Cluster) -> None:
    """Kibana and Grafana were not installed; the cell names the next step, which depends on the supply."""
    for found in (kibana.page(cluster), pages.of(cluster, grafana.STACK, "deployment/grafana", grafana.PORT)):
        assert not isinstance(found, Site)
        assert "KIT_SUPPLY=upstream" in found.data or "./kit stacks install" in found.data
