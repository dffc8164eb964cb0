"""What decides an exercise, where it is a pure function: fed with what the real systems answer."""

from __future__ import annotations

import hashlib
import json
import math
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from kitlib import exercises, paths
from kitlib.exercises import (
    architecture,
    built,
    deployment,
    dockerfile,
    game_day,
    metric_series,
    multi_stage,
    place,
    start,
)
from kitlib.host.identity import LABEL
from kitlib.kube.client import Object
from kitlib.measure.images import context


class Images:
    """An engine with these images: name → description."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.found = found

    def inspect(self, name: str) -> Any:
        return self.found.get(name)


def _image(tagged: str) -> dict[str, Any]:
    return {"Created": "2026-01-01T00:00:00Z", "Metadata": {"LastTagTime": tagged}}


EARLY, LATE = _image("2026-11-29T10:00:00.5Z"), _image("2026-11-29T11:00:00.5Z")


@pytest.mark.parametrize(
    ("images", "name"),
    [
        ({}, "kit.local/made:answer"),
        ({"made:answer": EARLY}, "made:answer"),
        ({"kit.local/made:answer": EARLY}, "kit.local/made:answer"),
        ({"made:answer": LATE, "kit.local/made:answer": EARLY}, "made:answer"),
        ({"made:answer": EARLY, "kit.local/made:answer": LATE}, "kit.local/made:answer"),
    ],
)
def test_an_answer_counts_under_the_name_of_the_task(images: dict[str, Any], name: str) -> None:
    """`docker build -t made:answer` is an answer like a build of the kit; of two, the one that was tagged last counts."""
    engine: Any = Images(images)

    assert built.answered(engine, "made:answer") == name


def test_an_engine_that_keeps_no_time_of_a_tag() -> None:
    """Then the time of the build decides."""
    assert built.tagged({"Created": "2026-01-01T00:00:00Z"}) == "2026-01-01T00:00:00Z"
    assert (
        built.tagged({"Metadata": {"LastTagTime": None}, "Created": "2026-01-01T00:00:00Z"}) == "2026-01-01T00:00:00Z"
    )


@pytest.mark.parametrize(
    ("kind", "name", "labels", "mine"),
    [
        ("Deployment", "keeper", {}, True),
        ("ReplicaSet", "keeper-5d4f", {}, True),
        ("Pod", "keeper-5d4f-x2x", {"app": "keeper"}, True),
        ("Pod", "traffic", {LABEL: "mark"}, True),
        ("Deployment", "keeper-notes", {}, False),
        ("Pod", "notes", {}, False),
        ("Pod", "notes", {LABEL: "another"}, False),
    ],
)
def test_reset_takes_only_the_exercise_out_of_a_namespace(
    kind: str, name: str, labels: dict[str, str], mine: bool
) -> None:
    """In a namespace that the learner made, what the task does not name and the kit did not make stays."""
    found: Object = {"kind": kind, "metadata": {"name": name, "labels": labels}}

    assert place.belongs(found, ["keeper"], "mark") is mine


def test_no_two_chapters_work_in_one_namespace() -> None:
    """A reset of one chapter's exercise would remove what the learner did in the other."""
    places = {
        (space, name.split("/")[0])
        for name in exercises.ALL
        for space in re.findall(r"\bkit-[a-z-]+", exercises.exercise(name).task)
    }

    assert len(places) == len({space for space, _ in places}) > 10, sorted(places)


def test_a_second_build_does_not_find_the_layers_of_the_first() -> None:
    """Each stage gets an argument, also one with a platform or a name; what only looks like a stage is left alone."""
    text = "ARG A\nFROM ${A} AS one\nRUN x\nFROM --platform=linux/amd64 ${A}\nRUN <<E\nfrom os import x\nE\n"

    lines = dockerfile.uncached(text, "token").splitlines()

    after = [lines[n + 1] for n, line in enumerate(lines) if line.startswith("FROM")]
    assert len(set(after)) == 1 and after[0].startswith("ARG KIT_CHECK=")
    assert sum(line.startswith("ARG KIT_CHECK=") for line in lines) == 2
    assert "token" not in after[0]


def test_the_solution_of_the_secret_can_be_built_again() -> None:
    """The image has its own Dockerfile, which copies no file beside itself."""
    solution = dockerfile.Secret.solution_text

    assert [line for line in solution.splitlines() if line.startswith("COPY")] == ["COPY Dockerfile /Dockerfile"]


def test_the_folder_of_the_exercise_is_that_of_the_measurement(tmp_path: Path) -> None:
    """`ignore.sh` makes the files that the chapter measured with, and a Dockerfile that copies them all."""
    script = paths.ROOT / "notebooks" / "files" / "2.2-dockerfile" / "ignore.sh"
    for _ in range(2):
        subprocess.run(["sh", script], cwd=tmp_path, check=True)
    made = tmp_path / "ignore"
    found = {str(file.relative_to(made)): file.read_text() for file in made.rglob("*") if file.is_file()}

    assert found.pop("Dockerfile").endswith("COPY . /src\n")
    assert found == context.FILES


@contextmanager
def _serving(*, keeps: bool) -> Iterator[int]:
    """A catalogue with goapp's first items, or a file of them that never changes; its port."""
    names = ["Gopher, plush", "Whale, enamel pin", "Helm, brass"]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            names.extend([sent["name"]] if keeps else [])
            self.do_GET()

        def do_GET(self) -> None:
            body = json.dumps({"items": [{"name": name} for name in names]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("keeps", [True, False])
def test_goapp_is_known_by_a_new_item(keeps: bool) -> None:
    """A program that only shows goapp's first items is not goapp."""
    with _serving(keeps=keeps) as port:
        assert multi_stage.sells(port, "new") is keeps


def test_nothing_listens() -> None:
    """Then there is no goapp."""
    with _serving(keeps=True) as port:
        pass

    assert not multi_stage.sells(port, "new")


def _set(revision: int, image: str, earlier: str = "") -> Object:
    """A ReplicaSet, as the Deployment controller annotates it."""
    notes = {"deployment.kubernetes.io/revision": str(revision)}
    notes |= {"deployment.kubernetes.io/revision-history": earlier} if earlier else {}
    template = {"spec": {"containers": [{"image": image}]}}
    return {"metadata": {"annotations": notes}, "spec": {"template": template}}


@pytest.mark.parametrize(
    ("sets", "back"),
    [
        ([_set(2, "broken"), _set(3, "good", "1")], True),
        ([_set(4, "broken", "2"), _set(5, "good", "1,3")], True),
        ([_set(1, "good"), _set(2, "broken")], False),
        ([_set(1, "good"), _set(2, "broken"), _set(3, "other")], False),
        ([_set(2, "older"), _set(3, "broken"), _set(4, "oldest", "1")], False),
        ([_set(2, "good"), _set(3, "broken"), _set(4, "good again")], False),
        ([_set(1, "good")], False),
    ],
)
def test_the_release_before_the_broken_one_is_back(sets: list[Object], back: bool) -> None:
    """Its very ReplicaSet has the newest revision; another image, or an older release, does not do."""
    assert deployment.rolled_back(sets, "broken") is back


def _pod(*spec: str, manager: str) -> Object:
    """A pod whose manifest had these fields in its spec, as the API server records them; the kubelet wrote its status."""
    wrote = {"manager": manager, "operation": "Update", "fieldsV1": {"f:spec": {f"f:{name}": {} for name in spec}}}
    status = {"manager": "kubelet", "subresource": "status", "fieldsV1": {"f:status": {"f:phase": {}}}}
    return {"metadata": {"managedFields": [wrote, status]}, "spec": {"nodeName": "node"}}


def test_a_binding_leaves_no_manager_of_the_node() -> None:
    """A node that the manifest names has one."""
    bound = _pod("schedulerName", "containers", manager="kit")
    named = _pod("schedulerName", "nodeName", manager="kubectl-create")

    assert architecture.named_by(bound) == []
    assert architecture.named_by(named) == ["kubectl-create"]


@pytest.mark.parametrize(
    ("recorded", "word"),
    [
        ((0.3, 0.7), ""),
        ((0.37, 0.63), ""),
        ((0.3 / 0.7, 0.7 / 0.3), "succeeded"),
        ((0.3, 0.3), "changed"),
        ((0.5, 0.5), "changed"),
        ((12.0, 28.0), "divided by another"),
        ((0.3, 0.42), "divided by another"),
        ((0.3, math.nan), "divided by another"),
    ],
)
def test_a_share_is_told_from_what_resembles_it(recorded: tuple[float, float], word: str) -> None:
    """Errors divided by successes, a constant, a rate, a window that is too long, and no value are not the share of errors."""
    pairs = list(zip((0.3, 0.7), recorded, strict=True))

    look = metric_series.misses(pairs, metric_series.Ratio.tolerance)

    assert bool(look) is bool(word) and word in look


def test_an_envelope_opens_with_its_key_alone() -> None:
    """Each name has its own seal, and the salt, which anyone can read, does not give it away."""
    names = [fault.name for fault in game_day.LASTING]
    seals = {game_day.seal(b"key", "salt", name) for name in names}

    assert len(seals) == len(names)
    assert not seals & {game_day.seal(key, "salt", name) for key in (b"", b"salt", b"other") for name in names}
    assert not seals & {hashlib.sha256(f"salt {name}".encode()).hexdigest() for name in names}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"motd": {"env": "we are open", "file": None}, "version": "1.0"}, "we are open"),
        ({"motd": {"file": None}}, ""),
        ({"motd": "we are open"}, ""),
        ({"items": []}, ""),
        ("<html>we are open</html>", ""),
        ("", ""),
    ],
)
def test_the_message_of_a_pod_is_where_the_program_shows_it(answer: Any, message: str) -> None:
    """Another program's answer has no message, also where it contains the words."""
    assert start.motd(answer) == message


@pytest.mark.parametrize(("node", "word"), [({}, "resources"), ({"nodeName": "node"}, "image")])
def test_a_pod_without_a_node_waits_for_the_scheduler(node: dict[str, str], word: str) -> None:
    """The way on from a Pod that is not ready depends on how far it got."""
    assert word in start.obstacle({"spec": node})


@pytest.mark.parametrize(
    ("answer", "is_one"), [({"items": []}, True), ({"error": {}}, False), ("", False), ([], False)]
)
def test_an_answer_without_items_is_no_catalogue(answer: Any, is_one: bool) -> None:
    """The error of the program in front, when the one behind it is missing, is not taken for a list of items."""
    assert architecture.has_items(answer) is is_one


def test_what_is_wrong_in_the_broken_file_is_what_the_solution_repairs() -> None:
    """The starter file asks for too much memory and for an image that does not exist; the solution changes both, and nothing else."""
    broken = (paths.ROOT / "notebooks" / "files" / "0-start" / "broken.yaml").read_text()

    assert broken.count("64Ti") == broken.count("catalogue:") == 1
    assert "s/64Ti/64Mi/" in start.Repair.solution_text and "s/catalogue:/catalog:/" in start.Repair.solution_text
    assert f"value: {start.Repair.message}" in broken
