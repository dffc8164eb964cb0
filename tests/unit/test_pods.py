"""What is wrong with a pod, by its status."""

from __future__ import annotations

from typing import Any

import pytest

from kitlib.kube.client import Object
from kitlib.telemetry import pods

RUNC = "runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?)"


def _pod(ready: bool, **status: Any) -> Object:
    """One container with this status, beside its restarts."""
    return {
        "metadata": {"name": "shipper-x", "namespace": "kit-logs"},
        "status": {
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"restartCount": 2, **status}],
        },
    }


def test_who_is_ready_or_ending_is_nobodys_trouble() -> None:
    """Also with a death behind it."""
    died = {"lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}}
    ending = _pod(ready=False, **died)
    ending["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert pods.wrong(_pod(ready=True, **died)) == []
    assert pods.wrong(ending) == []


@pytest.mark.parametrize("where", ["state", "lastState"])
@pytest.mark.parametrize(
    ("terminated", "said"),
    [
        ({"exitCode": 137, "reason": "OOMKilled"}, "killed for its memory"),
        ({"exitCode": 128, "reason": "StartError", "message": RUNC}, "killed for its memory"),
        ({"exitCode": 128, "reason": "StartError", "message": "no such file"}, "ended with 128, 2 restarts"),
        ({"exitCode": 1, "reason": "Error"}, "ended with 1, 2 restarts"),
    ],
)
def test_a_death_is_one_line(where: str, terminated: dict[str, Any], said: str) -> None:
    """By how it died, whether that is all that there is of it or what was before the wait for its next start."""
    (line,) = pods.wrong(_pod(ready=False, **{where: {"terminated": terminated}}))

    assert said in line


def test_the_last_death_counts() -> None:
    """Of a container that died twice, the report is about the last time."""
    before, now = ({"terminated": {"exitCode": code, "reason": "Error"}} for code in (1, 2))
    (line,) = pods.wrong(_pod(ready=False, lastState=before, state=now))

    assert "ended with 2" in line


def test_who_has_not_died_is_described() -> None:
    """A container that only waits has no death to tell of; the line says where to look."""
    (line,) = pods.wrong(_pod(ready=False, state={"waiting": {"reason": "ImagePullBackOff"}}))

    assert "kubectl -n kit-logs describe pod shipper-x" in line
