"""A cell's own commands read Secrets: their values are masked in what the cell shows, and no other cell asks the cluster."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import urllib3.exceptions

from kitlib.errors import ClusterError
from kitlib.host import identity
from kitlib.masking import redact
from kitlib.masking.patterns import MASK
from kitlib.paths import ROOT
from kitlib.runner import reading

READ = "!kubectl -n kit-shop get secret db -o jsonpath='{.data.password}' | base64 -d"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Api:
    """Stands for the API server: its Secrets, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.data = {"password": b64("s3cr3t-of-db"), "pin": b64("4711"), "mode": b64("running"), "colour": b64("blue")}
        self.hangs = threading.Event()
        self.hangs.set()
        self.fails: Exception | None = None

    def json(self, method: str, path: str, *, seconds: float) -> Any:
        self.asked.append((method, path))
        self.hangs.wait(seconds * 20)
        if self.fails:
            raise self.fails
        return {"items": [{"metadata": {"name": "db"}, "data": self.data}, {"metadata": {"name": "empty"}}]}


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setenv("KIT_HOME", str(tmp_path))
    identity.kubeconfig().write_text("a kubeconfig")
    made = Api()
    monkeypatch.setattr(reading, "access", lambda _: None)
    monkeypatch.setattr(reading, "Connection", lambda _: made)
    return made


@pytest.fixture(autouse=True)
def _nothing_learned() -> Iterator[None]:
    redact.forget()
    yield
    redact.forget()
    redact.reading(False)


class Kernel:
    """A shell with a session, which keeps what leaves it, and the events of cells."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.kernel = SimpleNamespace(session=SimpleNamespace(send=self.send))
        self.hooks: dict[str, Any] = {}
        self.events = SimpleNamespace(register=self.hooks.__setitem__)
        redact.install(self)
        reading.install(self)

    def send(self, _stream: Any, _kind: str, content: Any, **_: Any) -> None:
        self.sent.append(content)

    def run(self, cell: str, *pieces: str) -> str:
        """What a front end gets of a cell that prints these pieces."""
        self.hooks["pre_run_cell"](SimpleNamespace(raw_cell=cell))
        self.sent.clear()
        for text in pieces:
            parent = {"header": {"msg_id": str(id(pieces))}}
            self.kernel.session.send(None, "stream", {"name": "stdout", "text": text}, parent=parent)
        self.hooks["post_run_cell"](SimpleNamespace(info=SimpleNamespace(raw_cell=cell)))
        return "".join(content["text"] for content in self.sent)


@pytest.mark.parametrize(
    "cell",
    [
        READ,
        "import subprocess\nsubprocess.run(['kubectl', 'get', 'secret', 'db', '-o', 'yaml'])",
        "%%bash\nkubectl exec deploy/catalog -- printenv PASSWORD",
        "for name in names:\n    !kubectl logs {name}",
        "found = !kubectl get secrets -o json",
    ],
)
def test_a_value_is_masked_in_a_fresh_kernel(cell: str, api: Api) -> None:
    """The first cell that reads a Secret, by whatever means, shows none of its values."""
    kernel = Kernel()

    assert kernel.run(cell, "it is s3cr3t-of-db here\n") == f"it is {MASK} here\n"
    assert kernel.run(cell, b64("s3cr3t-of-db")) == MASK
    assert api.asked[0] == ("GET", reading.PATH)


@pytest.mark.parametrize(
    "cell",
    [
        "runs = kit.experiment('claim', lambda: trial(), n=5)",
        "!kubectl get pods",
        "!kubectl apply -f deployment.yaml",
        "kit.app.roll_out(namespace, 'secret')",
        "print('the secret of env')",
        "namespace.apply(*manifests)\nkit.live.pods(namespace)",
        "# !kubectl get pods\nlogs = kit.telemetry.logs.search('x')",
    ],
)
def test_no_other_cell_asks_the_cluster(cell: str, api: Api) -> None:
    """A cell that measures requests, or starts what prints no Secret."""
    Kernel().run(cell, "output\n")

    assert api.asked == []


def test_no_measurement_of_a_chapter_asks_the_cluster() -> None:
    """Chapter 3.1 measures requests: no cell with an experiment is taken for one that reads Secrets."""
    cells = [
        "".join(cell["source"])
        for notebook in sorted((ROOT / "notebooks").glob("*.ipynb"))
        for cell in json.loads(notebook.read_text())["cells"]
        if cell["cell_type"] == "code"
    ]
    measuring = [cell for cell in cells if "kit.experiment(" in cell]

    assert len(measuring) > 20
    assert [cell for cell in measuring if reading.reads(cell)] == []


@pytest.mark.parametrize("line", ["4711", "running", "blue", b64("4711"), "b'4711'", "  running  "])
def test_a_short_value_is_masked_as_a_whole_line(line: str, api: Api) -> None:
    """In the cell that reads it: four characters, or an ordinary word, are all that its line says."""
    assert MASK in Kernel().run(READ, f"first\n{line}\nlast\n")
    assert api.asked


def test_a_short_value_is_not_masked_inside_a_line(api: Api) -> None:
    """Other text would go with it, and so it would in every other cell."""
    kernel = Kernel()
    text = "port 4711 is running\n"

    assert kernel.run(READ, text) == text
    assert kernel.run("print(4711)", "4711\n") == "4711\n"
    assert api.asked


def test_what_the_cell_itself_makes_is_known(api: Api) -> None:
    """A literal on its own command line, before it is in the cluster; a variable in its place is no value."""
    api.data = {}
    cell = f"!kubectl create secret generic db --from-literal=password=made-h3re --from-literal=x={{secret}}\n{READ}"

    assert Kernel().run(cell, "made-h3re") == MASK


def test_what_a_cell_has_made_is_known_to_the_next(api: Api) -> None:
    """It is listed once more when the cell has ended."""
    kernel = Kernel()
    kernel.run("out = !kubectl apply -f secret.yaml", "")
    api.data["late"] = b64("m4de-by-the-cell")

    assert kernel.run("!kubectl get secret late; true", "nothing\n") == "nothing\n"
    assert kernel.run("print(out)", "m4de-by-the-cell\n") == f"{MASK}\n"


def test_without_a_cluster_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No request, no wait, no error."""
    monkeypatch.setenv("KIT_HOME", str(tmp_path))
    monkeypatch.setattr(reading, "Connection", lambda _: pytest.fail("it was asked"))

    assert Kernel().run(READ, "error: no cluster\n") == "error: no cluster\n"


def test_a_wrong_setting_fails_no_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call of the kit reports it."""
    monkeypatch.setenv("KIT_HOME", str(tmp_path))
    monkeypatch.setenv("KIT_CLUSTER", "NOT A NAME")

    assert Kernel().run(READ, "x\n") == "x\n"


@pytest.mark.parametrize("fails", [ClusterError("no"), urllib3.exceptions.ProtocolError(), KeyError("items")], ids=repr)
def test_a_cluster_that_fails_fails_no_cell(fails: Exception, api: Api) -> None:
    """The command says it better."""
    api.fails = fails

    assert Kernel().run(READ, "x\n") == "x\n"


def test_a_cluster_that_does_not_answer_is_not_waited_for(api: Api) -> None:
    """The cell begins when the time is over."""
    api.hangs.clear()
    began = time.monotonic()
    reading.learn(0.1)

    assert time.monotonic() - began < 1.5
    api.hangs.set()


def test_outside_a_kernel_nothing_is_hooked() -> None:
    """A plain shell has no messages to mask."""
    shell = SimpleNamespace(events=SimpleNamespace(register=lambda *_: pytest.fail("hooked")))
    reading.install(shell)
