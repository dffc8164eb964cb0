#!/bin/sh
# Usage: sh trace.sh TRACE_ID SPANS
# Prints a trace, in JSON as Jaeger's API gives it, as soon as it has so many spans.
path=/api/v1/namespaces/kit-traces/services/jaeger:16686/proxy/api/traces/$1
for _ in $(seq 20); do
  trace=$(kubectl get --raw "$path" 2> /dev/null)
  [ "$(printf '%s' "$trace" | grep -o '"operationName"' | wc -l)" -ge "$2" ] && break
  sleep 0.5
done
printf '%s\n' "$trace" | python -m json.tool
