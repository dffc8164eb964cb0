"""What the API server's answers say about a namespace that is gone, or is about to be."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

NOT_FOUND, FORBIDDEN = 404, 403


def missing(status: int, body: bytes) -> str:
    """The namespace for whose lack a request was refused; empty when it was refused for something else.

    A write into a namespace that does not exist is a 404 about the namespace; into one that ends, it is a 403 with a cause of its own.
    """
    try:
        details = json.loads(body)["details"]
        if status == NOT_FOUND and details["kind"] == "namespaces":
            return str(details["name"])
        causes = details["causes"] if status == FORBIDDEN else []
        return "".join(_ended(cause) for cause in causes if cause["reason"] == "NamespaceTerminating")
    except (ValueError, KeyError, TypeError):
        return ""


def ending(namespace: Mapping[str, Any]) -> bool:
    """Whether a namespace is being deleted: nothing can be created in it any more."""
    return "deletionTimestamp" in namespace["metadata"]


def _ended(cause: Mapping[str, Any]) -> str:
    found = re.match(r"namespace (\S+) is being terminated", str(cause["message"]))
    return found[1] if found else ""
