"""Programs that the kit starts get what kitlib/host/environment.py gives them: no other module reads the environment for them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from kitlib.paths import ROOT

MODULES = sorted(file for folder in ("kitlib", "bench") for file in (ROOT / folder).rglob("*.py"))
OWN = {"kitlib/host/environment.py"}
# Variables that a module reads for itself.
READ = {
    "kitlib/errors.py": {"KIT_DEBUG"},
    "kitlib/host/console.py": {"CI", "KIT_STEPS"},
    "kitlib/engine/daemon.py": {"KIT_ENGINE_DATA"},
    "kitlib/runner/doctor.py": {"KIT_PROFILE", "KIT_SUPPLY"},
    "kitlib/engine/endpoint.py": {
        "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "KIT_USER_DOCKER_CONFIG",
    },
    "kitlib/engine/client.py": {"DOCKER_CONFIG"},
    "kitlib/claims/experiments.py": {"KIT_PROFILE"},
    "kitlib/supply/images.py": {"SSL_CERT_FILE", "PIP_CERT"},
    "kitlib/runner/lab.py": {"CI", "SHELL"},
    "kitlib/host/identity.py": {"KIT_CLUSTER"},
    "kitlib/claims/stamp.py": {"KIT_RUN"},
    "kitlib/supply/choice.py": {"KIT_SUPPLY"},
    "kitlib/dev/testing.py": {"KIT_CLUSTER", "KIT_RESULTS", "KIT_WORK"},
    "kitlib/host/frontend.py": {"JPY_SESSION_NAME"},
}  # fmt: skip
WHOLE = {
    "kitlib/runner/run.py",
    "kitlib/paths.py",
}  # set variables of this process: for a run, and folders as absolute paths
STARTS = {
    "kitlib/host/proc.py",
    "kitlib/engine/daemon.py",
    "kitlib/runner/lab.py",
    "bench/rows/waiting.py",
}  # all with env=


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_only_single_variables_are_read(file: Path) -> None:
    """os.environ is asked for single variables that this test knows, and is handed on as a whole nowhere."""
    name, tree = str(file.relative_to(ROOT)), ast.parse(file.read_text())
    seen = set(_variables(tree))

    assert seen - {None} <= READ.get(name, set()) or name in OWN | WHOLE
    assert None not in seen or name in OWN | WHOLE


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_programs_start_with_an_environment_of_their_own(file: Path) -> None:
    """subprocess is called in few modules, each time with env=: without it a program has all that this process has."""
    name = str(file.relative_to(ROOT))
    calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call) and _starts(node)]

    assert not calls or name in STARTS
    assert all(any(word.arg == "env" for word in call.keywords) for call in calls)


def _variables(tree: ast.AST) -> Iterator[str | None]:
    """Names of the variables that are read or set; None for any other use of os.environ."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if _is_environment(node):
            around = parents[node]
            if isinstance(around, ast.Attribute) and around.attr == "get":
                around = parents[around]
            key = next(iter(around.args), None) if isinstance(around, ast.Call) else getattr(around, "slice", None)
            key = around.left if isinstance(around, ast.Compare) else key
            yield key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None


def _is_environment(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node) in (
        "os.environ",
        "os.environb",
        "os.getenv",
        "os.putenv",
    )


def _starts(node: ast.Call) -> bool:
    called = ast.unparse(node.func)
    return called in ("subprocess.Popen", "subprocess.run", "subprocess.check_output", "subprocess.call", "os.system")
