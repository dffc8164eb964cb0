"""`./kit test`: every stage does its own set-up; the cluster of the tests is never a learner's.

A stage that runs pytest writes `tests/<stage>.xml` (JUnit) to the state folder; the run ends with a list of all failed tests.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import yaml
from junitparser import Error, Failure, JUnitXml, TestCase

from kitlib import paths
from kitlib.cluster import lifecycle
from kitlib.dev import schemas
from kitlib.errors import CommandFailed, KitError
from kitlib.host import debian, environment, identity, proc, tools
from kitlib.host.console import say, step
from kitlib.kube import kustomize
from kitlib.learning import starters
from kitlib.pipelines import FOLDER, check, files
from kitlib.workloads import app

BIN = Path(sys.executable).parent
GOAPP = paths.ROOT / "goapp"
GO_MODULES = (
    GOAPP,
    paths.ROOT / "kitlib" / "measure" / "golang" / "go",
    paths.ROOT / "cluster" / "images" / "panics",
    tools.MODULES / "exporters",
    tools.MODULES / "receiver",
)
IMAGE = "kit.local/goapp:lint"  # manifests are judged, not run
DEFINED = "Gateway,GatewayClass,HTTPRoute,Middleware"
EXERCISES = tuple(f"tests/notebooks/test_{side}_exercises.py" for side in ("engine", "cluster"))  # side by side
TRACES = (  # a program and what it reads
    ("otelcol", "collector/config.yaml"),
    ("otelcol", "collector/config.yaml", "collector/tail-sampling.yaml"),
    ("jaeger", "jaeger/config.yaml", "jaeger/memory.yaml"),
    ("jaeger", "jaeger/config.yaml", "jaeger/elasticsearch.yaml"),
)
PROSE = ("README.md", "docs", "CONTRIBUTING.md", "CHANGELOG.md", "kitlib", "tests", "bench/rows")
BROWSER = ("chromium", "fonts-noto-cjk")
LAST_WORDS = 20  # lines of a failed test


def run(stages: Sequence[str]) -> int:
    """Run stages, all of them even if one fails; 1 when any failed.  Those of different lanes run side by side, after all others."""
    for stage in stages:
        _report(stage).unlink(missing_ok=True)
    passed = _all(stages)
    for stage in stages:
        _say_failures(stage)
    return int(not passed)


def _all(stages: Sequence[str]) -> bool:
    lanes = [lane for names in LANES if (lane := [stage for stage in names if stage in stages])]
    if len(lanes) < 2:
        return _in_order(stages)
    alone = [stage for stage in stages if stage not in sum(LANES, ())]
    passed = [_in_order(alone)] if alone else []
    with ThreadPoolExecutor() as pool:
        passed += pool.map(_lane, lanes)
    return all(passed)


def _in_order(stages: Sequence[str]) -> bool:
    with tempfile.TemporaryDirectory(prefix="kit-test-") as scratch, _isolated(stages[-1], Path(scratch)):
        outcomes = {stage: _timed(stage) for stage in stages}
    for stage, (passed, seconds) in outcomes.items():
        say(f"{'✓' if passed else '✗'} {stage} ({seconds:.0f} s)")
    return all(passed for passed, _ in outcomes.values())


def _lane(stages: Sequence[str]) -> bool:
    """The stages in a process of their own, each line behind the lane's name."""
    argv = [sys.executable, "-m", "kitlib", "test", *(f"--{stage}" for stage in stages)]
    return _shown(argv, cwd=paths.ROOT, before=f"{stages[0]:>9} │ ")


def _say_failures(stage: str) -> None:
    """Print the failed tests of a stage, each with the end of pytest's report: a log of CI is read from its end."""
    for test, failure in failures(_report(stage)):
        say(f"✗ {stage}: {test.classname}::{test.name}")
        for line in (failure.text or failure.message or "").splitlines()[-LAST_WORDS:]:
            say(f"    {line}")


def failures(report: Path) -> Iterator[tuple[TestCase, Failure | Error]]:
    """The failed tests of a JUnit file; none when it does not exist."""
    for suite in JUnitXml.fromfile(str(report)) if report.exists() else ():
        for test in suite:
            yield from ((test, result) for result in test.result if isinstance(result, Failure | Error))


def _report(stage: str) -> Path:
    return paths.state() / "tests" / f"{stage}.xml"


def lint() -> bool:
    """Check format, lint and types of everything; every tool runs, so that one call shows everything that has to be fixed."""
    notebooks = sorted((paths.ROOT / "notebooks").glob("*.ipynb"))
    dockerfiles = sorted((paths.ROOT / "cluster" / "images").glob("*/Dockerfile"))
    return all(
        [
            _tool("ruff check", [BIN / "ruff", "check", "."]),
            _tool("ruff format", [BIN / "ruff", "format", "--check", "."]),
            _tool("mypy --strict", [BIN / "mypy"]),
            _tool("import-linter", [BIN / "lint-imports", "--no-cache"]),
            _tool(
                "shellcheck", [BIN / "shellcheck", "kit", ".ci/run", *sorted((paths.ROOT / "findings").rglob("*.sh"))]
            ),
            _tool("hadolint", [tools.hadolint(), *dockerfiles]),
            _tool("notebooks without outputs", [BIN / "nbstripout", "--verify", *notebooks]),
            *(_go_tools(module) for module in GO_MODULES),
            _kubeconform(),
            _promtool(),
            *(_validated(*parts) for parts in TRACES),
            _pipelines(),
            _prose(),
        ]
    )


def _go_tools(module: Path) -> bool:
    return all(
        [
            _tool(f"gofmt {module.name}", [tools.goroot() / "bin" / "gofmt", "-l", "."], silent=True, cwd=module),
            _tool(f"go vet {module.name}", [tools.go(), "vet", "./..."], cwd=module),
            _tool(f"staticcheck {module.name}", [tools.build("staticcheck") / "staticcheck", "./..."], cwd=module),
        ]
    )


def _kubeconform() -> bool:
    """The base, its treatments, the stacks and the learner's files against Kubernetes' own schemas: no wrong type, no unknown field.

    DEFINED are kinds that a stack brings the definitions of.
    """
    instances = [("base", []), *((name, [name]) for name in app.all_treatments())]
    objects = [m for name, treatments in instances for m in app.manifests(name, IMAGE, treatments=treatments)]
    stacks = sorted((paths.ROOT / "cluster" / "stacks").glob("*/kustomization.yaml"))
    objects += [m for file in stacks for m in kustomize.render({"resources": [f"stacks/{file.parent.name}"]})]
    with tempfile.TemporaryDirectory() as tmp:
        file = Path(tmp) / "manifests.yaml"
        file.write_text(yaml.safe_dump_all(objects))
        location = schemas.write(Path(tmp))
        command = tools.build("kubeconform") / "kubeconform"
        return _tool(
            "kubeconform", [command, "-strict", "-skip", DEFINED, "-schema-location", location, file, *_given()]
        )


def _given() -> list[Path]:
    """The files below notebooks/files with Kubernetes objects; others are of tools that have checks of their own."""
    files = sorted(starters.SOURCE.rglob("*.y*ml"))
    return [file for file in files if all("kind" in (found or {}) for found in yaml.safe_load_all(file.read_text()))]


def _promtool() -> bool:
    """Whether Prometheus accepts the configuration of the stack and the learner's, and their rules give the expected alerts."""
    promtool = tools.build("prometheus") / "promtool"
    stack = paths.ROOT / "cluster" / "stacks" / "metrics" / "prometheus"
    wanted = (("check", "config", "--syntax-only", "prometheus.yml"), ("test", "rules", "rules_test.yml"))
    passed = [
        _tool(f"promtool {words[0]} {folder.name}", [promtool, *words], cwd=folder)
        for folder in (stack, starters.SOURCE / "4.2-metrics")
        for words in wanted
    ]
    return all(passed)


def _validated(program: str, *files: str) -> bool:
    """Whether a part of the stack of the traces accepts these files, each merged over the ones before it."""
    configs = [f"--config={paths.ROOT / 'cluster' / 'stacks' / 'traces' / file}" for file in files]
    return _tool(f"validate {files[-1]}", [tools.build(program) / program, "validate", *configs])


def _pipelines() -> bool:
    """Check the files for CI systems, each by its schema, its linter or its grammar."""
    try:
        with step("pipelines"):
            for name in files.rendered():
                check.check(FOLDER / name)
    except CommandFailed as e:
        say(str(e))
        return False
    return True


def _prose() -> bool:
    """Check the prose of the pages, and of the code's docstrings and comments, against the house style of .vale/."""
    if not debian.usable():
        debian.need(["gcc", "libc6-dev"], why="Vale")
    return _tool("vale", [tools.vale(), "--no-global", "--output=line", *PROSE])


def unit() -> bool:
    """Run the hermetic tests of tests/unit and tests/contract; False when one failed."""
    return _pytest("unit", "-n", "auto", "tests/unit", "tests/contract")


def go() -> bool:
    """Run the Go tests with the race detector, which needs cgo and so a C compiler; False when one failed."""
    if not debian.usable():
        debian.need(["gcc", "libc6-dev"], why="Go's race detector")
    argv: list[str | Path] = [tools.go(), "test", "-race", "-count=1", "./..."]
    return _shown(argv, cwd=GOAPP, cgo=True)


def cluster() -> bool:
    """Start the tests' cluster and run tests/cluster; False when a test failed."""
    lifecycle.up()  # here, where its progress is seen
    return _pytest("cluster", "-v", "--durations=15", "tests/cluster")


def notebooks() -> bool:
    """Run tests/notebooks, without the exercises, on the tests' cluster; False when a test failed."""
    lifecycle.up()
    if not debian.usable():
        debian.need(BROWSER, why="the browser tests")
    return _pytest("notebooks", "-v", "--durations=15", "tests/notebooks", *(f"--ignore={file}" for file in EXERCISES))


def exercises() -> bool:
    """Run the exercises' tests, two files at a time, on the tests' cluster; False when a test failed."""
    lifecycle.up()
    return _pytest("exercises", "-v", "--durations=15", "-n", "2", "--dist", "loadfile", *EXERCISES)


STAGES: dict[str, Callable[[], bool]] = {
    "lint": lint,
    "unit": unit,
    "go": go,
    "cluster": cluster,
    "exercises": exercises,
    "notebooks": notebooks,
}
# Side by side, each on a cluster of its own, as most of their time is spent waiting.
LANES = (("cluster", "exercises"), ("notebooks",))


@contextmanager
def _isolated(name: str, scratch: Path) -> Iterator[None]:
    """A cluster, results and files of the tests' own; the cluster goes when they end."""
    os.environ["KIT_CLUSTER"] = f"kit-test-{name}"
    os.environ["KIT_RESULTS"] = str(scratch / "results")
    os.environ["KIT_WORK"] = str(scratch / "work")
    try:
        yield
    finally:
        if identity.load():
            lifecycle.down()


def _timed(stage: str) -> tuple[bool, float]:
    say(f"── {stage}")
    began = time.monotonic()
    try:
        passed = STAGES[stage]()
    except KitError as e:
        say(f"kit: {e}")
        passed = False
    return passed, time.monotonic() - began


def _tool(name: str, argv: Sequence[str | Path], *, silent: bool = False, cwd: Path = paths.ROOT) -> bool:
    """silent: the tool reports by printing, not by its exit code."""
    try:
        with step(name):
            output = proc.run(argv, cwd=cwd, env=tools.go_env())
            if silent and output.strip():
                raise CommandFailed(name, 0, output)
    except CommandFailed as e:
        say(str(e.output))
        return False
    return True


def _pytest(stage: str, *words: str) -> bool:
    return _shown([sys.executable, "-m", "pytest", f"--junit-xml={_report(stage)}", *words], cwd=paths.ROOT)


def _shown(argv: Sequence[str | Path], *, cwd: Path, cgo: bool = False, before: str = "") -> bool:
    """Run with every line passed on as it comes."""
    env = {**tools.go_env(), "CGO_ENABLED": "1"} if cgo else environment.kit()
    try:
        proc.run(argv, cwd=cwd, env=env, on_line=lambda line: print(f"{before}{line}", flush=True))
    except CommandFailed:
        return False
    return True
