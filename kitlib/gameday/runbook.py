"""The response to an alert: its section of docs/runbook.md, to which the alert's annotation points."""

from __future__ import annotations

import re
from typing import Any

import yaml

from kitlib import paths
from kitlib.errors import UsageError
from kitlib.kube import kustomize

FILE = paths.ROOT / "docs" / "runbook.md"
RULES = kustomize.CLUSTER / "stacks" / "metrics" / "prometheus" / "rules.yml"


def alerts() -> dict[str, dict[str, Any]]:
    """The alerts of rules.yml by their names."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def sections() -> dict[str, str]:
    """The runbook's sections by their titles."""
    parts = re.split(r"^## (.+)$", FILE.read_text(), flags=re.MULTILINE)[1:]
    return {title: text.strip() for title, text in zip(parts[::2], parts[1::2], strict=True)}


def section(alert: str) -> Any:
    """The alert's section as Markdown: what it means, where to look and how to repair.  Raises UsageError for one without a section."""
    from IPython.display import Markdown

    found = sections()
    if alert not in found:
        raise UsageError(f"the runbook has no section {alert}", hint=f"it has {', '.join(found)}")
    return Markdown(f"### {alert}\n\n{found[alert]}")
