"""The one engine that makes manifests: kustomize, as the pinned kubectl carries it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from kitlib import paths
from kitlib.host import proc
from kitlib.kube.client import Object

KUBECTL = Path(sys.executable).parent / "kubectl"
CLUSTER = paths.ROOT / "cluster"
ENVIRONMENT = {"KUBERC": "off"}  # or the user's kuberc could change a command's defaults
HEAD = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}


def render(kustomization: Mapping[str, Any]) -> list[Object]:
    """The objects of an overlay, in kustomize's order; its `resources` and `components` are paths below cluster/.

    The same overlay is rendered once per process.  Raises CommandFailed with kustomize's own message.
    """
    return list(yaml.safe_load_all(_rendered(json.dumps(kustomization, sort_keys=True))))


@cache
def _rendered(overlay: str) -> str:
    """kustomize takes no absolute paths, and no kustomization from stdin: hence a folder, and the way from there to cluster/."""
    kustomization = {**HEAD, **json.loads(overlay)}
    with TemporaryDirectory() as tmp:
        folder = Path(tmp).resolve()
        for key in ("resources", "components"):
            kustomization[key] = [os.path.relpath(CLUSTER / path, folder) for path in kustomization.get(key, [])]
        (folder / "kustomization.yaml").write_text(json.dumps(kustomization))
        return proc.run([KUBECTL, "kustomize", folder], env=ENVIRONMENT)
