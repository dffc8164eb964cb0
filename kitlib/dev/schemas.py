"""JSON schemas of Kubernetes' own objects, made from the OpenAPI description in the module that the cluster is built from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kitlib.host import proc, tools

Schema = dict[str, Any]
LOOSE: dict[str, Schema] = {  # what OpenAPI 2 cannot say: these are strings there
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["string", "integer"]},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": ["string", "number"]},
}
TEMPLATE = "{{.ResourceKind}}{{.KindSuffix}}.json"
DEFINITIONS = "definitions.json"


def write(folder: Path) -> str:
    """Write a schema a kind; returns kubeconform's `-schema-location`.  A field that a definition does not name is an error."""
    definitions = {name: _strict(name, schema) for name, schema in _openapi()["definitions"].items()}
    (folder / DEFINITIONS).write_text(json.dumps({"definitions": definitions}))
    for name, schema in definitions.items():
        kinds = schema.get("x-kubernetes-group-version-kind", [])
        if len(kinds) == 1:  # options and events of watches belong to every group
            (folder / _file(**kinds[0])).write_text(json.dumps({"$ref": f"{DEFINITIONS}#/definitions/{name}"}))
    return str(folder / TEMPLATE)


def _openapi() -> Schema:
    """The description in Go's module cache; `go mod download` puts it there when it is missing, checked against go.sum."""
    module = tools.modules()["kubernetes"]
    told = proc.run([str(tools.go()), "mod", "download", "-json", module.of], cwd=module.folder, env=tools.go_env())
    file = Path(json.loads(told)["Dir"]) / "api" / "openapi-spec" / "swagger.json"
    found: Schema = json.loads(file.read_text())
    return found


def _strict(name: str, schema: Schema) -> Schema:
    if name in LOOSE:
        return LOOSE[name]
    return {**schema, "additionalProperties": False} if "properties" in schema else schema


def _file(group: str, version: str, kind: str) -> str:
    """The name that TEMPLATE has for a kind: group without its domain, and no group for the core's."""
    return "-".join(part.lower() for part in (kind, group.partition(".")[0], version) if part) + ".json"
