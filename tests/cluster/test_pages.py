"""A component's own pages: its port on this machine, in a frame where somebody looks, as a command where nobody does."""

from __future__ import annotations

import json

import psutil
import pytest
import requests

from kitlib import app, wait
from kitlib.cluster import Cluster, Space
from kitlib.errors import ClusterError
from kitlib.kube import Ref
from kitlib.stacks import grafana, kibana, pages
from kitlib.stacks.pages import Page

PORT = 8080


@pytest.fixture
def page(space: Space, monkeypatch: pytest.MonkeyPatch) -> Page:
    """goapp's list of items, as somebody in JupyterLab has it."""
    space.apply(*app.manifests("shop", space.cluster.image("goapp-scratch"), replicas=1))
    app.roll_out(space, "shop")
    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/4.1-logging.ipynb")
    return Page(space, "deployment/shop", PORT, "/items")


def _answers(address: str) -> bool:
    return bool(requests.get(address, timeout=10).json())


def test_a_page_is_a_frame_whose_address_answers(page: Page) -> None:
    """One port for all who ask, and only at the loopback address."""
    shown = page._repr_mimebundle_()
    (forward,) = [c for c in psutil.Process().children() if "port-forward" in c.cmdline()]

    assert _answers(shown["text/plain"])
    assert f'src="{shown["text/plain"]}"' in shown["text/html"].replace("'", '"')
    assert page.open() == shown["text/plain"]
    assert {c.laddr.ip for c in forward.net_connections("inet") if c.status == "LISTEN"} == {"127.0.0.1"}


def test_a_forward_whose_pod_is_gone_is_made_again(page: Page) -> None:
    """The page is the same, and leads to the new pod."""
    before = page.open()
    (pod,) = app.pods(page.space, "shop")
    kube, ref = page.space.cluster.kube, Ref.of(pod)
    kube.delete(ref)
    wait.until(kube, "Pod", ref.name, page.space.name, done=wait.gone, what="gone")
    app.roll_out(page.space, "shop")

    assert _answers(page.open())
    assert page.open() != before


def test_nothing_to_forward_is_told_in_kubectls_words(page: Page) -> None:
    """A workload that is not there is an error, and no empty frame."""
    with pytest.raises(ClusterError, match=r'(?s)deployment/none.*"none" not found'):
        Page(page.space, "deployment/none", PORT).open()


def test_headless_there_is_a_command_and_no_frame(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks, so nothing is forwarded: the text says what to do."""
    monkeypatch.delenv("JPY_SESSION_NAME")
    shown = page._repr_mimebundle_()

    assert list(shown) == ["text/plain"]
    assert f"port-forward deployment/shop {PORT}" in json.dumps(shown)


def test_what_is_not_there_says_why(cluster: Cluster) -> None:
    """Kibana and Grafana were not installed; the cell names the next step, which depends on the supply."""
    for found in (kibana.page(cluster), pages.of(cluster, grafana.STACK, "deployment/grafana", grafana.PORT)):
        assert not isinstance(found, Page)
        assert "KIT_SUPPLY=upstream" in found.data or "./kit stacks install" in found.data
