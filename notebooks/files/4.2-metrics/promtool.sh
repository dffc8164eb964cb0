#!/bin/sh
# Usage: sh promtool.sh WORDS...
# promtool in a container of the image $PROMETHEUS. It sees the current folder, and reads what is piped to it.
exec docker run --rm --interactive --user "$(id -u)" --volume "$PWD:/work:ro" --workdir /work \
  --entrypoint promtool "$PROMETHEUS" "$@"
