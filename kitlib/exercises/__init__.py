"""All exercises by name, one module per chapter; base.py says what an exercise is."""

from __future__ import annotations

from kitlib.errors import ExerciseError
from kitlib.exercises import (
    architecture,
    configured,
    debugging,
    deployment,
    docker_concepts,
    dockerfile,
    game_day,
    go_basics,
    log_lines,
    metric_series,
    multi_stage,
    private_registry,
    probes,
    service_ingress,
    single,
    start,
    tracing,
)
from kitlib.exercises.base import Exercise, Outcome

__all__ = ["ALL", "Exercise", "Outcome", "exercise"]

CHAPTERS: tuple[tuple[type[Exercise], ...], ...] = (
    (start.Greeter, start.Repair, start.Hello),
    (go_basics.Lines, go_basics.First, go_basics.Shop),
    (docker_concepts.Deleted, docker_concepts.Order, docker_concepts.Limits),
    (dockerfile.Secret, dockerfile.Healthy, dockerfile.Ignored),
    (multi_stage.Loader, multi_stage.Smallest, multi_stage.Complete),
    (debugging.Image, debugging.Price, debugging.Mute),
    (private_registry.Pull, private_registry.Reclaim, private_registry.Signed),
    (architecture.Twin, architecture.Quarantine, architecture.Adopt, architecture.Bind),
    (deployment.Unnoticed, deployment.Undo, configured.Configured, single.Single, deployment.Pinned),
    (service_ingress.Selector, service_ingress.Hosts, service_ingress.Prefix, service_ingress.Canary),
    (log_lines.Fields, log_lines.Forget, log_lines.Retention),
    (metric_series.Scraped, metric_series.Ratio, metric_series.Explosion),
    (tracing.Endpoint, tracing.Slow, tracing.Tail),
    (probes.Startup, probes.Hang, probes.Shell, probes.Traffic, probes.Dependency),
    (game_day.Blind, game_day.Hidden, game_day.Request),
)
ALL: dict[str, Exercise] = {e.name: e for e in (kind() for chapter in CHAPTERS for kind in chapter)}


def exercise(name: str) -> Exercise:
    """The exercise of that name, like "2.3-multi-stage/loader".  Raises ExerciseError listing what there is."""
    try:
        return ALL[name]
    except KeyError:
        raise ExerciseError(f"no exercise is called {name}", hint=f"one of {', '.join(ALL)}") from None
