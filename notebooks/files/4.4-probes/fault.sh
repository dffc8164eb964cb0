#!/usr/bin/env bash
# Makes the newest pod of an app faulty: bash fault.sh APP KIND [SETTINGS]
# KIND: error, hang, delay, not-ready, crash.  SETTINGS: a JSON object, such as {"probes": true, "lease": "30s"}.
set -euo pipefail
namespace=${NAMESPACE:-kit-probes}
settings=${3:-}
[ -n "$settings" ] || settings='{}'
pod=$(kubectl -n "$namespace" get pods -l "app=$1" --sort-by=.metadata.creationTimestamp -o name | tail -n 1)
echo "$settings" | kubectl replace --raw "/api/v1/namespaces/$namespace/pods/${pod#pod/}:8080/proxy/faults/$2" -f -
