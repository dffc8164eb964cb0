"""The changes in a namespace: changes to events, events to lanes, and a watch that ends at `stop`."""

import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from typing import Any
from xml.etree import ElementTree

import pytest
import trustme

from kitlib.errors import ApiError
from kitlib.kube.client import Object
from kitlib.kube.connection import Access, Connection
from kitlib.kube.follow import Follow
from kitlib.views.chart import Lane, Span
from kitlib.views.live import states
from kitlib.views.live.sightings import Read, Sightings, State, frame, lanes
from kitlib.views.live.view import ROWS, View, table


def pod(name: str = "web", *, uid: str = "", **status: Any) -> Object:
    """A pod as the API gives it; deleted=True: it has been asked to go; node="": it has none."""
    meta = {"name": name, "uid": uid or name, "creationTimestamp": "2026-01-01T00:00:00Z"}
    meta |= {"deletionTimestamp": "2026-01-01T00:01:00Z"} if status.pop("deleted", False) else {}
    node = status.pop("node", "n1")
    return {"metadata": meta, "spec": {"containers": [{}]} | ({"nodeName": node} if node else {}), "status": status}


def container(state: str, *, ready: bool = False, restarts: int = 0, **more: Any) -> dict[str, Any]:
    """A pod's status with one container in this state."""
    status = {"state": {state: more}, "ready": ready, "restartCount": restarts}
    return {
        "containerStatuses": [status],
        "conditions": [{"type": "Ready", "status": str(ready)}],
        "phase": "Running",
    }


def seen(read: Read, *changes: tuple[float, str, Object]) -> Sightings:
    """All changes taken in, each at its time."""
    sightings = Sightings(read)
    for at, change, obj in changes:
        sightings.take(change, obj, at)
    return sightings


def kinds(sightings: Sightings) -> list[tuple[str, str]]:
    return [(event.state.kind, event.state.label) for event in sightings.events]


LIFE = [
    (0.0, "ADDED", pod(node="", phase="Pending")),
    (0.1, "MODIFIED", pod(phase="Pending")),
    (0.2, "MODIFIED", pod(**container("waiting", reason="ContainerCreating"))),
    (1.0, "MODIFIED", pod(**container("running"))),
    (2.0, "MODIFIED", pod(**container("running", ready=True))),
    (3.0, "MODIFIED", pod(**container("running"))),
    (4.0, "MODIFIED", pod(**container("terminated", exitCode=3))),
    (5.0, "MODIFIED", pod(**container("waiting", restarts=1, reason="CrashLoopBackOff"))),
    (6.0, "MODIFIED", pod(**container("running", restarts=1))),
    (7.0, "MODIFIED", pod(**container("running", ready=True, restarts=1))),
    (8.0, "MODIFIED", pod(deleted=True, **container("running", ready=True, restarts=1))),
    (9.0, "MODIFIED", pod(deleted=True, **container("terminated", restarts=1, exitCode=0))),
    (9.5, "DELETED", pod(deleted=True, **container("terminated", restarts=1, exitCode=0))),
]


def test_a_pods_life_is_told_event_by_event() -> None:
    """From pending to gone, with a crash in between: unready before it was ready is another thing than after."""
    assert kinds(seen(states.pod, *LIFE)) == [
        ("pending", ""),
        ("scheduled", ""),
        ("started", ""),
        ("ready", ""),
        ("not ready", ""),
        ("waiting", "exit 3"),
        ("waiting", "CrashLoopBackOff"),
        ("started", "restart 1"),
        ("ready", "restart 1"),
        ("terminating", ""),
        ("terminating", "exit 0"),
        ("gone", ""),
    ]


def test_a_life_is_one_lane_without_gaps() -> None:
    """Each span ends where the next begins, and the last where the pod is gone."""
    (lane,) = lanes(seen(states.pod, *LIFE).events)
    ends = [span.end for span in lane.spans]

    assert lane.name == "web"
    assert ends == [*(span.start for span in lane.spans[1:]), 9.5]


def test_a_frame_has_a_row_an_event() -> None:
    """Name, event, detail and time; restarts, readiness and node as they were at that time."""
    rows = frame(seen(states.pod, *LIFE).events, "pod")

    assert list(rows.columns) == ["pod", "event", "detail", "at", "ready", "restarts", "node"]
    assert rows[rows["event"] == "ready"][["at", "restarts"]].to_numpy().tolist() == [[2.0, 0], [7.0, 1]]
    assert list(frame([], "pod").columns) == ["pod", "event", "detail", "at"]


def test_what_is_no_news_is_no_event() -> None:
    """A pod that says the same again, or is listed again, adds nothing."""
    sightings = Sightings(states.pod)
    first = [sightings.take("ADDED", pod(phase="Pending"), at) for at in (0.0, 1.0)]

    assert first == [True, False]
    assert lanes(sightings.events) == [Lane("web", (Span(0.0, None, "", "scheduled"),))]


def test_a_pod_that_has_done_its_work_is_over() -> None:
    """Its bar ends, though the object stays; the event says how it went."""
    done = pod(**container("terminated", exitCode=1) | {"phase": "Failed"})
    sightings = seen(states.pod, (0.0, "ADDED", pod(**container("running"))), (2.0, "MODIFIED", done))

    assert lanes(sightings.events) == [Lane("web", (Span(0.0, 2.0, "", "started"),))]
    assert kinds(sightings)[-1] == ("failed", "exit 1")


def test_a_name_can_be_used_again() -> None:
    """A StatefulSet's next pod has the lane of the one before it, and a life of its own."""
    old, new = pod(uid="1", **container("running", ready=True)), pod(uid="2", **container("running"))
    sightings = seen(states.pod, (0, "ADDED", old), (1, "DELETED", old), (3, "ADDED", new))

    assert lanes(sightings.events) == [Lane("web", (Span(0, 1, "", "ready"), Span(3, None, "", "started")))]


def slice_of(name: str, *endpoints: tuple[str, Mapping[str, bool]], family: str = "IPv4") -> Object:
    return {
        "metadata": {"name": name, "uid": name},
        "addressType": family,
        "endpoints": [
            {"addresses": ["10.0.0.1"], "targetRef": {"name": pod}, "conditions": said} for pod, said in endpoints
        ],
    }


def test_endpoints_are_lanes_of_their_pods() -> None:
    """An address is ready, not ready, or terminating, and then serving or not; one that is no longer listed is gone."""
    ready, serving, gone = {"ready": True}, {"ready": False, "serving": True, "terminating": True}, {"ready": False}
    sightings = seen(
        states.endpoints,
        (0, "ADDED", slice_of("s", ("a", ready), ("b", gone))),
        (1, "MODIFIED", slice_of("s", ("a", serving), ("b", ready))),
        (2, "MODIFIED", slice_of("s", ("b", ready))),
    )

    assert lanes(sightings.events) == [
        Lane("a", (Span(0, 1, "", "ready"), Span(1, 2, "serving", "terminating"))),
        Lane("b", (Span(0, 1, "", "not ready"), Span(1, None, "", "ready"))),
    ]


def test_an_endpoint_that_moves_to_another_slice_is_not_gone() -> None:
    """The controller spreads addresses over slices; which one has it says nothing about the pod."""
    a = ("a", {"ready": True})
    sightings = seen(
        states.endpoints, (0, "ADDED", slice_of("1", a)), (1, "ADDED", slice_of("2", a)), (2, "DELETED", slice_of("1"))
    )

    assert kinds(sightings) == [("ready", "")]


def test_families_are_told_apart() -> None:
    """A dual-stack Service has two addresses of one pod."""
    sightings = seen(states.endpoints, (0, "ADDED", slice_of("s", ("a", {"ready": True}), family="IPv6")))

    assert [lane.name for lane in lanes(sightings.events)] == ["a (IPv6)"]


def replica_set(name: str, revision: int, desired: int, pods: int, ready: int) -> Object:
    return {
        "metadata": {"name": name, "uid": name, "annotations": {states.REVISION: str(revision)}},
        "spec": {"replicas": desired},
        "status": {"replicas": pods, "readyReplicas": ready, "availableReplicas": ready},
    }


ROLLOUT = [
    (0, "ADDED", replica_set("old", 1, 2, 2, 2)),
    (0, "ADDED", replica_set("oldest", 0, 0, 0, 0)),
    (1, "ADDED", replica_set("new", 2, 1, 0, 0)),
    (2, "MODIFIED", replica_set("new", 2, 1, 1, 0)),
    (3, "MODIFIED", replica_set("new", 2, 2, 2, 2)),
    (4, "MODIFIED", replica_set("old", 1, 0, 0, 0)),
]


def test_a_rollout_is_a_lane_a_replica_set() -> None:
    """Ready when all that it should have are; what has no pods has no bar."""
    assert lanes(seen(states.replica_set, *ROLLOUT).events) == [
        Lane("old", (Span(0, 4, "2/2", "ready"),)),
        Lane("new", (Span(1, 3, "0/1", "not ready"), Span(3, None, "2/2", "ready"))),
    ]


def test_a_rollout_is_counted_at_each_change() -> None:
    """How many pods of the old and of the new template there were, and how many of both were ready."""
    assert states.counts(seen(states.replica_set, *ROLLOUT).events).to_numpy().tolist() == [
        [0, 0, 2, 2, 2],
        [1, 2, 0, 2, 2],
        [2, 2, 1, 2, 2],
        [3, 2, 2, 4, 4],
        [4, 0, 2, 2, 2],
    ]


Round = tuple[list[Object], Iterable[Any]]
SILENCE = object()


class Server(ThreadingHTTPServer):
    """An API server of one path, by TLS: each round is a list, and the lines of the stream after it; the last one stays silent."""

    daemon_threads = True

    def __init__(self, rounds: Sequence[Round]) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.rounds = list(rounds)
        self.over = threading.Event()
        authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(tls)
        self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.trust = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())

    @property
    def connection(self) -> Connection:
        return Connection(Access(f"https://127.0.0.1:{self.server_port}", self.trust))


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        if not self.server.rounds:
            self.send_error(503)
        elif "watch=true" in self.path:
            with suppress(OSError):  # the client has gone
                self._stream(self.server.rounds.pop(0)[1])
        else:
            page = json.dumps({"metadata": {"resourceVersion": "1"}, "items": self.server.rounds[0][0]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

    def _stream(self, lines: Iterable[Any]) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in lines:
            if line is SILENCE:
                self.server.over.wait()
                return
            data = json.dumps(line).encode() + b"\n"
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: Any) -> None:
        """Nothing: the test says what it saw."""


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """A function that starts a server with these rounds."""
    started = []

    def start(*rounds: Round) -> Server:
        server = Server(rounds)
        threading.Thread(target=server.serve_forever, args=[0.05]).start()  # s until it sees that it is over
        started.append(server)
        return server

    yield start
    for server in started:
        server.over.set()
        server.shutdown()
        server.server_close()


def event(change: str, obj: Object) -> Object:
    return {"type": change, "object": obj}


@pytest.mark.timeout(30)
def test_a_silent_watch_ends_when_it_is_told_to(serve: Callable[..., Server]) -> None:
    """The thread that blocks in a read returns, with what it had, though the server says nothing and closes nothing."""
    follow = Follow(serve(([pod("a")], [event("MODIFIED", pod("a")), SILENCE])).connection, "/pods")
    changes = follow.changes()
    got = [next(changes)[0], next(changes)[0]]
    reader = threading.Thread(target=lambda: got.extend(change for change, _ in changes))
    reader.start()
    follow.stop()
    reader.join()

    assert got == ["ADDED", "MODIFIED"]


@pytest.mark.timeout(30)
def test_a_watch_that_was_stopped_before_it_began_is_over(serve: Callable[..., Server]) -> None:
    """No change, and no error."""
    follow = Follow(serve(([pod("a")], [SILENCE])).connection, "/pods")
    follow.stop()

    assert list(follow.changes()) == []


@pytest.mark.timeout(60)
def test_a_busy_watch_ends_without_an_error(serve: Callable[..., Server]) -> None:
    """Whatever the thread is reading just then, what it gets is whole changes, and then the end."""
    much = event("MODIFIED", pod("a" * 3000))
    server = serve(*[([], repeat(much))] * 30)
    for wanted in range(30):
        follow = Follow(server.connection, "/pods")
        changes = follow.changes()
        got = [next(changes) for _ in range(wanted)]
        with ThreadPoolExecutor(1) as threads:
            stopped = threads.submit(follow.stop)
            got += changes
        stopped.result()

        assert {obj["metadata"]["name"] for _, obj in got} <= {"a" * 3000}


@pytest.mark.parametrize("end", [[], [event("ERROR", {"code": 410, "message": "too old resource version"})]])
def test_a_stream_that_ends_is_resumed_without_loss(serve: Callable[..., Server], end: list[Object]) -> None:
    """Objects that went away between two streams are reported as deleted, new ones as added."""
    server = serve(
        ([pod("a"), pod("b")], [event("ADDED", pod("c")), event("DELETED", pod("a")), *end]), ([pod("c")], [SILENCE])
    )
    follow = Follow(server.connection, "/pods")
    changes = follow.changes()
    got = [(change, obj["metadata"]["name"]) for change, obj in (next(changes) for _ in range(6))]
    follow.stop()

    assert got == [("ADDED", "a"), ("ADDED", "b"), ("ADDED", "c"), ("DELETED", "a"), ("DELETED", "b"), ("ADDED", "c")]
    assert list(changes) == []


@pytest.mark.parametrize(
    ("lines", "status"), [([event("ERROR", {"code": 403, "message": "forbidden"})], 403), ([], 503)]
)
def test_a_watch_that_fails_says_so(serve: Callable[..., Server], lines: list[Object], status: int) -> None:
    """A refusal in the stream, and a server that does not answer the next list, are ApiErrors."""
    follow = Follow(serve(([], lines)).connection, "/pods")

    with pytest.raises(ApiError) as caught:
        list(follow.changes())

    assert caught.value.status == status


def test_a_table_has_a_row_a_thing() -> None:
    """Name, state with its label, facts and age; markup in names is no markup."""
    states = [State("<b>", "waiting", "exit 3", {"restarts": 2, "ready": False}, created="2026-01-01T00:00:00Z")]
    rows = list(ElementTree.fromstring(table("Pods", states)).iter("tr"))
    cells = ["".join(cell.itertext()).strip() for cell in rows[1]]

    assert [cell.text for cell in rows[0]] == [None, "state", "restarts", "ready", "age"]
    assert cells[:4] == ["<b>", "waiting (exit 3)", "2", "no"]
    assert cells[4].endswith(" s")


def test_a_table_is_bounded() -> None:
    """Twenty rows, and how many there are more."""
    html = table("Pods", [State(f"web-{i}", "ready") for i in range(ROWS + 5)])

    assert html.count("<tr>") == ROWS + 1
    assert "… and 5 more" in html
    assert f"{ROWS + 5} now" in html


@pytest.mark.timeout(30)
def test_a_view_is_redrawn_until_it_is_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    """News is in the table as soon as its turn comes; the thread ends at `stop`."""
    states: list[State] = []
    redrawn = threading.Event()
    view = View(lambda: "Pods", lambda: states)
    view._widget.observe(lambda _: redrawn.set(), "value")
    runner = threading.Thread(target=view.run)
    runner.start()
    states.append(State("web", "ready"))
    view.changed()
    redrawn.wait()
    view.stop()
    runner.join()

    assert "web" in view._widget.value
    assert "HTML" in capsys.readouterr().out
