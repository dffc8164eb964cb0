"""Wrong answers to the exercises of 4.4-probes: plausible Deployments that the kubelet, or the formula, disproves."""

from collections.abc import Sequence

from kitlib.exercises.probes import SPACE, Dependency, Hang, Shell, Startup, Traffic
from tests.notebooks.answers.shell import Bash, applied, bash

CONTAINER = "/spec/template/spec/containers/0"


def _applied(name: str, *patches: str) -> Bash:
    """The exercise's file, changed by JSON patches."""
    instance = name.rpartition("/")[2]
    patch = f"kubectl -n kit-{SPACE} patch deployment {instance} --type=json -p '[{','.join(patches)}]'"
    return applied(name, SPACE, *([patch] if patches else []))


def _set(path: str, value: str, op: str = "replace") -> str:
    """A JSON patch of the container.  value: as JSON."""
    return f'{{"op": "{op}", "path": "{CONTAINER}{path}", "value": {value}}}'


def _without(path: str) -> str:
    return f'{{"op": "remove", "path": "{CONTAINER}{path}"}}'


IMPATIENT = _set(
    "/startupProbe",
    '{"httpGet": {"path": "/startup", "port": "http"}, "periodSeconds": 1, "failureThreshold": 4}',
    "add",
)
PATIENT = _set("/livenessProbe/failureThreshold", "30")  # nothing is killed during the start, nor for long afterwards
QUICK_START = _set("/env/0/value", '"0s"')
ONE_FAILURE = (
    _set("/livenessProbe/initialDelaySeconds", "0"),
    _set("/livenessProbe/periodSeconds", "1"),
    _set("/livenessProbe/timeoutSeconds", "1"),
    _set("/livenessProbe/failureThreshold", "1"),
)
ALWAYS_PASSES = (
    '{"exec": {"command": ["/usr/local/bin/catalog", "-version"]}, "periodSeconds": 1, "failureThreshold": 4}'
)

WRONG: dict[str, Sequence[Bash]] = {
    Startup.name: (
        _applied(Startup.name),
        _applied(Startup.name, IMPATIENT),
        _applied(Startup.name, PATIENT),
        _applied(Startup.name, QUICK_START),
    ),
    Hang.name: (
        _applied(Hang.name),
        _applied(Hang.name, *ONE_FAILURE),
        _applied(Hang.name, _set("/livenessProbe", ALWAYS_PASSES)),
    ),
    Shell.name: (
        _applied(Shell.name),
        _applied(Shell.name, _set("/livenessProbe", ALWAYS_PASSES)),
        _applied(Shell.name, _without("/livenessProbe")),
    ),
    Traffic.name: (
        _applied(Traffic.name),
        _applied(Traffic.name, _set("/livenessProbe/httpGet/path", '"/ready"')),
        bash(f"{_applied(Traffic.name).text}\nkubectl -n kit-{SPACE} delete service traffic"),
    ),
    Dependency.name: (
        _applied(Dependency.name),
        _applied(Dependency.name, _without("/livenessProbe")),
        _applied(Dependency.name, _set("/livenessProbe/httpGet/path", '"/startup"')),
    ),
}
