"""`./kit deploy`: goapp's source on this machine becomes what a Service answers with; with --watch, at each saved edit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kitlib.cluster import lifecycle
from kitlib.errors import BuildFailed, UsageError
from kitlib.host.console import say
from kitlib.workloads import release
from kitlib.workloads.release import Release

NAMESPACE, NAME = "deploy", "catalog"
TREATMENTS = ("quick-exit",)  # an edit is to be seen at once, and no requests are in flight
LOOK = 1000  # ms without an event after which the source is looked at
DEBOUNCE = 100  # ms without a change, after which an edit is complete: editors write a file in several steps


def run(source: Path, *, watch: bool = False) -> int:
    """Deploy goapp's source into the namespace kit-deploy; with watch, again after each edit until interrupted.

    Raises UsageError when the source is not goapp's.  An edit that does not compile is shown, and the version before it goes on serving.
    """
    if not (source / "cmd" / "catalog").is_dir():
        raise UsageError(f"{source} is not goapp's source", hint="--source names a folder with cmd/catalog, like goapp")
    namespace = lifecycle.up().namespace(NAMESPACE)
    first = release.release(namespace, NAME, source, treatments=TREATMENTS)
    say(_told(first))
    say(f"  reach it: kubectl -n {namespace.name} port-forward svc/{NAME} 8080:80; curl localhost:8080/health")
    say(f"  remove it: kubectl delete namespace {namespace.name}")
    for version in _edits(source, first.version) if watch else ():
        say(f"{version}: compiling …")
        try:
            say(_told(release.release(namespace, NAME, source)))
        except BuildFailed as e:
            say(f"{e}\nthe version before it goes on serving; save a correction")
    return 0


def _edits(source: Path, known: str) -> Iterator[str]:
    """The source's version after each change that can decide the program.  known: the version that serves."""
    from watchfiles import watch

    say(f"watching {source}; Ctrl-C ends it, and what is deployed stays")
    # It also looks each second, for an edit that was saved before the watch began.
    for _ in watch(source, debounce=DEBOUNCE, step=DEBOUNCE // 2, rust_timeout=LOOK, yield_on_timeout=True):
        if (version := release.fingerprint(source)) != known:
            known = version
            yield version


def _told(done: Release) -> str:
    """One line: what serves, and where the time went."""
    parts = f"compiled {done.build:.1f} s, published {done.publish:.1f} s, rolled out {done.rollout:.1f} s"
    return f"{NAME} serves {done.version} after {done.build + done.publish + done.rollout:.1f} s ({parts})"
