#!/bin/sh
# Usage: sh search.sh PATH [FILE]
# A request to Elasticsearch from this machine: GET, or with FILE a POST of the JSON in it.
path=$1 file=${2:-}
log=$(mktemp)
kubectl -n kit-logs port-forward service/elasticsearch :9200 > "$log" 2>&1 &
trap 'kill $! 2> /dev/null; rm -f "$log"' EXIT
trap 'exit 1' INT TERM

for _ in $(seq 50); do
  port=$(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\) .*/\1/p' "$log")
  [ -n "$port" ] && break
  sleep 0.2
done
[ -n "$port" ] || { cat "$log" >&2; exit 1; }

set -- --silent --show-error --max-time 10 --noproxy '*'
[ -z "$file" ] || set -- "$@" --header 'Content-Type: application/json' --data-binary "@$file"
curl "$@" "http://127.0.0.1:$port/$path"
