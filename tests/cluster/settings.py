"""What a manifest sets, and what its running process was given, as the process itself has it in the node's /proc."""

import base64
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from kitlib.cluster.bound import Cluster
from kitlib.kube import kustomize
from kitlib.kube.client import Object
from kitlib.stacks import base

# Of each process that is the first of its container: the name of its pod, its words and its variables, ended by NUL; then a newline.
LOOK = """
for p in /proc/[0-9]*; do
  case "$(grep ^NSpid: $p/status 2>/dev/null)" in *[[:blank:]]1) ;; *) continue ;; esac
  [ "$(cat $p/comm 2>/dev/null)" = pause ] && continue
  tr '\\n\\0' ' \\n' < $p/environ 2>/dev/null | grep -qx "HOSTNAME=$1" || continue
  for f in cmdline environ; do base64 -w0 $p/$f; echo; done
done
"""


def manifests(stack: base.Stack) -> list[Object]:
    """What a stack is made of."""
    return kustomize.render({"resources": [f"stacks/{stack.name}"]})


def lost(cluster: Cluster, objects: list[Object], namespace: str = "") -> dict[str, list[str]]:
    """By pod, the options and variables of manifests that its running process was not given; {} when all arrived.

    namespace: of objects that name none.
    """
    found = {}
    for workload in (it for it in objects if it["kind"] in base.WORKLOADS):
        (container,) = workload["spec"]["template"]["spec"]["containers"]
        for pod in _pods(cluster, workload, namespace):
            if missing := _missing(container, *_process(cluster, pod)):
                found[pod["metadata"]["name"]] = missing
    return found


def differences(wanted: Any, found: Any, at: str = "") -> Iterator[str]:
    """Where what was wanted is not so in what was found; that may have more keys, as defaults, and other spellings of a number."""
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            if not isinstance(found, dict) or key not in found:
                yield f"{at}.{key} is missing"
            else:
                yield from differences(value, found[key], f"{at}.{key}")
    elif isinstance(wanted, list):
        if not isinstance(found, list) or len(found) != len(wanted):
            yield f"{at} is {found}, not {wanted}"
        else:
            for i, (one, other) in enumerate(zip(wanted, found, strict=True)):
                yield from differences(one, other, f"{at}[{i}]")
    elif str(wanted).lower() != str(found).lower() and _nanoseconds(wanted) != found:
        yield f"{at} is {found!r}, not {wanted!r}"


def _nanoseconds(wanted: Any) -> int | None:
    """A time as the collector says it of itself; None for what is no time."""
    return pd.Timedelta(wanted).value if re.fullmatch(r"\d+(ms|s|m|h)", str(wanted)) else None


def _pods(cluster: Cluster, workload: Object, namespace: str) -> list[Object]:
    labels = ",".join(f"{k}={v}" for k, v in workload["spec"]["selector"]["matchLabels"].items())
    pods = cluster.kube.list("Pod", workload["metadata"].get("namespace", namespace), labels=labels)
    assert pods, f"no pod of {workload['metadata']['name']} runs"
    return pods


def _process(cluster: Cluster, pod: Object) -> tuple[list[str], dict[str, str]]:
    said = cluster.on_node("sh", "-c", LOOK, "sh", pod["metadata"]["name"], node=pod["spec"]["nodeName"])
    cmdline, environ = (base64.b64decode(line).decode().split("\0")[:-1] for line in said.split()[-2:])
    return cmdline, dict(entry.split("=", 1) for entry in environ)


def _missing(container: Object, words: list[str], variables: dict[str, str]) -> list[str]:
    options = [word for word in container.get("args", []) if word not in words]
    names = {entry["name"]: entry.get("value") for entry in container.get("env", [])}
    return options + [
        f"{name}={value}"
        for name, value in names.items()
        if (variables.get(name) != value if value else name not in variables)
    ]
