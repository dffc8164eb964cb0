#!/bin/sh
# Usage: sh ask.sh NAMESPACE SERVICE HOST PATH...
# Requests from this machine to a Service, each with HOST as its host name.
namespace=$1 service=$2 host=$3
shift 3
log=$(mktemp)
kubectl -n "$namespace" port-forward "service/$service" :80 > "$log" 2>&1 &
trap 'kill $! 2> /dev/null; rm -f "$log"' EXIT
trap 'exit 1' INT TERM

for _ in $(seq 50); do
  port=$(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\) .*/\1/p' "$log")
  [ -n "$port" ] && break
  sleep 0.2
done
[ -n "$port" ] || { cat "$log" >&2; exit 1; }

for path in "$@"; do
  echo "GET http://$host$path"
  curl --silent --show-error --include --max-time 10 --noproxy '*' --header "Host: $host" "http://127.0.0.1:$port$path" || exit
  echo
done
