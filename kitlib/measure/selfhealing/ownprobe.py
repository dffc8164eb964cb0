"""The liveness probe of a learner's file as one more case of the experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kitlib.claims.levels import MINE
from kitlib.errors import InputError
from kitlib.kube.client import Object
from kitlib.measure.selfhealing.probes import CASES, DEFAULTS, Case, Probe
from kitlib.workloads.ownfile import NEXT, OwnFile

PATHS = ("/health", "/ready", "/startup")  # that a fault of the program reaches
LONGEST = 90  # seconds from a fault to its detection, and of the initial delay: the experiment's fault ends by itself


def cases(mine: Sequence[Object]) -> Mapping[str, Case]:
    """The kit's cases, and the learner's as `mine` if there are objects of a file.  Raises InputError when they cannot be measured."""
    return {**CASES, MINE: _case(OwnFile.of(mine))} if mine else CASES


def _case(own: OwnFile) -> Case:
    spec = own.container.get("livenessProbe")
    if not isinstance(spec, dict):
        raise InputError("the container of your file has no livenessProbe: nothing would notice the fault", hint=NEXT)
    asked = spec.get("httpGet")
    path = asked.get("path") if isinstance(asked, dict) else None
    if path not in PATHS:
        raise InputError(
            "the livenessProbe of your file asks no path that the fault reaches",
            hint=f"httpGet with a path of {', '.join(PATHS)}",
        )
    wrong = [key for key in DEFAULTS if not isinstance(spec.get(key, 0), int) or spec.get(key, 0) < 0]
    if wrong:
        raise InputError(
            f"{wrong[0]} of your livenessProbe is {spec[wrong[0]]!r}, not a number of seconds or times", hint=NEXT
        )
    probe = Probe.of(spec)
    if max(probe.latest(), probe.delay) > LONGEST:
        raise InputError(
            f"your livenessProbe ({probe}) needs longer than {LONGEST} s, for which the experiment does not wait",
            hint=NEXT,
        )
    return Case(probe, path=path)
