#!/bin/sh
# Usage: sh forward.sh NAMESPACE SERVICE PORT COMMAND
# Runs a command while the port $PORT of this machine leads to a port of a Service.
log=$(mktemp)
kubectl -n "$1" port-forward "service/$2" ":$3" > "$log" 2>&1 &
trap 'kill $! 2> /dev/null; rm -f "$log"' EXIT
trap 'exit 1' INT TERM

for _ in $(seq 50); do
  PORT=$(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\) .*/\1/p' "$log")
  [ -n "$PORT" ] && break
  sleep 0.2
done
[ -n "$PORT" ] || { cat "$log" >&2; exit 1; }
export PORT no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
sh -c "$4"
