"""The pipeline as GitHub Actions, GitLab CI and Jenkinsfile: the same shell scripts in three wrappings."""

from __future__ import annotations

from textwrap import indent
from typing import Any

import yaml

from kitlib.pipelines.steps import STEPS, Step

HEAD = "Made of steps.toml by `python -m kitlib.pipelines`: edit that, and make this again."
GITHUB, GITLAB, JENKINS = "github-actions.yml", "gitlab-ci.yml", "Jenkinsfile"
REGISTRY, NAMESPACE = "registry.example.com", "shop"
MINUTES = 20
WITH = {
    "login": "usernamePassword(credentialsId: 'registry', usernameVariable: 'REGISTRY_USER', passwordVariable: 'REGISTRY_PASSWORD')",
    "cluster": "file(credentialsId: 'kubeconfig', variable: 'KUBECONFIG')",
}


def rendered() -> dict[str, str]:
    """File name → text."""
    return {GITHUB: github(), GITLAB: gitlab(), JENKINS: jenkins()}


def github() -> str:
    """A workflow; the secrets REGISTRY_USER, REGISTRY_PASSWORD and KUBECONFIG are those of the environment `production`."""
    prepare: list[dict[str, Any]] = [
        {"uses": "actions/checkout@v5"},
        {"uses": "actions/setup-go@v6", "with": {"go-version-file": "goapp/go.mod"}},
    ]
    job = {
        "runs-on": "ubuntu-24.04",
        "timeout-minutes": MINUTES,
        "environment": "production",
        "steps": prepare + [_github(step) for step in STEPS],
    }
    return _yaml(
        {
            "name": "goapp",
            "on": {"push": {"branches": ["main"]}},
            "permissions": {"contents": "read"},
            "concurrency": {"group": "goapp"},
            "env": _variables("${{ github.sha }}"),
            "jobs": {"goapp": job},
        }
    )


def gitlab() -> str:
    """One job on a runner with a shell; REGISTRY_USER and REGISTRY_PASSWORD are masked variables, KUBECONFIG is one of type file."""
    job = {
        "tags": ["docker", "go", "kubectl"],
        "rules": [{"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"}],
        "resource_group": "goapp",
        "timeout": f"{MINUTES} minutes",
        "script": [f"# {step.name}\n{step.run}" for step in STEPS],
    }
    return _yaml({"variables": _variables("$CI_COMMIT_SHA"), "goapp": job})


def jenkins() -> str:
    """A declarative pipeline; `registry` and `kubeconfig` are credentials of Jenkins'."""
    variables = "\n".join(f"{name} = '{value}'" for name, value in _variables("").items() if value)
    stages = "\n".join(_jenkins(step) for step in STEPS)
    return f"""\
// {HEAD}
pipeline {{
    agent {{ label 'docker && go && kubectl' }}
    options {{
        disableConcurrentBuilds()
        timeout(time: {MINUTES}, unit: 'MINUTES')
    }}
    environment {{
{indent(variables, " " * 8)}
        VERSION = "${{env.GIT_COMMIT}}"
    }}
    stages {{
{indent(stages, " " * 8)}
    }}
}}
"""


def _variables(version: str) -> dict[str, str]:
    return {"REGISTRY": REGISTRY, "PULL_FROM": REGISTRY, "NAMESPACE": NAMESPACE, "VERSION": version}


def _github(step: Step) -> dict[str, Any]:
    secrets = {"login": ["REGISTRY_USER", "REGISTRY_PASSWORD"], "cluster": ["KUBECONFIG_TEXT"]}.get(step.needs, [])
    env = {name: f"${{{{ secrets.{name.removesuffix('_TEXT')} }}}}" for name in secrets}
    return {
        "name": step.name,
        **({"env": env} if env else {}),
        "run": _KUBECONFIG * (step.needs == "cluster") + step.run,
    }


_KUBECONFIG = """\
export KUBECONFIG="$RUNNER_TEMP/kubeconfig"
(umask 077 && printf '%s' "$KUBECONFIG_TEXT" > "$KUBECONFIG")
"""


def _jenkins(step: Step) -> str:
    """In a string of Groovy's a backslash has to be doubled."""
    script = step.run.replace("\\", "\\\\")
    shell = f"sh '''\n{indent(script, ' ' * 4)}\n'''"
    if step.needs:
        shell = f"withCredentials([{WITH[step.needs]}]) {{\n{indent(shell, ' ' * 4)}\n}}"
    return f"stage('{step.name}') {{\n    steps {{\n{indent(shell, ' ' * 8)}\n    }}\n}}"


class _Dumper(yaml.SafeDumper):
    """Scripts of several lines as blocks, for people to read."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _yaml(content: dict[str, Any]) -> str:
    return f"# {HEAD}\n" + yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=1000)
