"""One pipeline, from a commit to a version that serves: as a script that runs here, and as files for three CI systems.

steps.py   the steps, read from cluster/pipelines/steps.toml
local.py   runs them here, against the private registry and the cluster
files.py   GitHub Actions, GitLab CI and Jenkinsfile, made of the same steps
check.py   what each file is validated by
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kitlib import lazy
from kitlib.pipelines.steps import FOLDER, STEPS, Step

__all__ = ["FOLDER", "STEPS", "Step"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy.modules(__name__)
