#!/bin/sh
# Elasticsearch's bulk helper for Python takes fields named version, pipeline, routing or parent out of the document.
#
# Guessed: helpers.bulk() reads its own settings from keys with an underscore (_index, _id, _routing), as its
#   documentation shows, and indexes every other key as it stands.
# True: eight names without an underscore are settings, too. They leave the document and go to the action's line: the log
#   line {"message": ..., "version": "1.4.2", "pipeline": "deploy"} is stored as {"message": ...}, under a demand for
#   version 1.4.2 and the ingest pipeline "deploy". Names of the same API that came later (require_alias,
#   dynamic_templates) are left alone. The same document wrapped as {"_source": {...}} is whole.
# Why it matters: service logs have a version, CI logs a pipeline, traces a parent, gateways a routing. A value that the
#   server refuses as a setting is at least an error. Any text is a valid routing: the field is gone from the document, and
#   the document is placed by that text instead of by its ID. Always pass _source.
# Sources: elastic/elasticsearch-py#2207 (pipeline), and expand_action in elasticsearch/helpers/actions.py.
set -eu
work=$(mktemp -d)
# shellcheck source=/dev/null
. "$(dirname "$0")/lib/common.sh"

python_with venv elasticsearch==9.5.1
cat >"$work/show.py" <<'PYTHON'
import json
from elasticsearch.helpers import expand_action

FIELDS = ["message", "version", "version_type", "pipeline", "routing", "parent", "retry_on_conflict", "if_seq_no",
          "if_primary_term", "require_alias", "dynamic_templates", "timestamp", "id", "type"]
for field in FIELDS:
    line, document = expand_action({"_index": "logs", field: "x"})
    taken = {name: value for name, value in line["index"].items() if name != "_index"}
    print(f"{field}: indexed {document}" + (f", setting {taken}" if taken else ""))
entry = {"message": "rolled out", "version": "1.4.2", "pipeline": "deploy"}
for name, action in [("as it is", {"_index": "logs", **entry}), ("in _source", {"_index": "logs", "_source": entry})]:
    print(f"{name}:", *(json.dumps(line, sort_keys=True) for line in expand_action(action)))
PYTHON
"$work/venv/bin/python" "$work/show.py" >"$work/seen"

compare <<'EXPECTED'
message: indexed {'message': 'x'}
version: indexed {}, setting {'version': 'x'}
version_type: indexed {}, setting {'version_type': 'x'}
pipeline: indexed {}, setting {'pipeline': 'x'}
routing: indexed {}, setting {'routing': 'x'}
parent: indexed {}, setting {'parent': 'x'}
retry_on_conflict: indexed {}, setting {'retry_on_conflict': 'x'}
if_seq_no: indexed {}, setting {'if_seq_no': 'x'}
if_primary_term: indexed {}, setting {'if_primary_term': 'x'}
require_alias: indexed {'require_alias': 'x'}
dynamic_templates: indexed {'dynamic_templates': 'x'}
timestamp: indexed {'timestamp': 'x'}
id: indexed {'id': 'x'}
type: indexed {'type': 'x'}
as it is: {"index": {"_index": "logs", "pipeline": "deploy", "version": "1.4.2"}} {"message": "rolled out"}
in _source: {"index": {"_index": "logs"}} {"message": "rolled out", "pipeline": "deploy", "version": "1.4.2"}
EXPECTED
