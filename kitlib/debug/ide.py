"""The files by which VS Code and GoLand attach to a Delve that runs in a container; written as text, kept where the reader wants them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema

from kitlib.debug.session import REMOTE
from kitlib.errors import UsageError

SCHEMA: dict[str, Any] = json.loads(Path(__file__).with_name("launch.schema.json").read_text())
NAME = "goapp in its container"


def launch_json(port: int) -> str:
    """`.vscode/launch.json` for this checkout opened as the workspace; checked against the schema."""
    attach = {
        "name": NAME,
        "type": "go",
        "request": "attach",
        "mode": "remote",
        "debugAdapter": "dlv-dap",
        "host": "127.0.0.1",
        "port": port,
        "substitutePath": [{"from": "${workspaceFolder}/goapp", "to": REMOTE}],
    }
    text = json.dumps({"version": "0.2.0", "configurations": [attach]}, indent=2)
    check(text)
    return text


def check(text: str) -> None:
    """Raises UsageError for what the schema does not allow, with the place and the reason."""
    try:
        jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(text))
    except json.JSONDecodeError as e:
        raise UsageError(f"launch.json is no JSON: {e}", hint="a comma too many, or one too few?") from e
    except jsonschema.ValidationError as e:
        raise UsageError(f"launch.json, {e.json_path}: {e.message}", hint="kitlib/debug/launch.schema.json") from e


def goland_xml(port: int) -> str:
    """`.run/goapp.run.xml` for GoLand.  JetBrains publishes no schema: the kit checks only that the file is well-formed."""
    component = ElementTree.Element("component", name="ProjectRunConfigurationManager")
    kind = {"type": "GoRemoteDebugConfigurationType", "factoryName": "Go Remote"}
    place = {"host": "127.0.0.1", "port": str(port)}
    configuration = ElementTree.SubElement(
        component, "configuration", {"default": "false", "name": NAME, **kind, **place}
    )
    ElementTree.SubElement(configuration, "option", name="disconnectOption", value="LEAVE")  # the program runs on
    ElementTree.SubElement(configuration, "disconnect", value="LEAVE")
    ElementTree.SubElement(configuration, "method", v="2")
    ElementTree.indent(component)
    return ElementTree.tostring(component, encoding="unicode")
