#!/bin/bash
# Java's options come from ES_JAVA_OPTS, and settings from variables with a dot in their names, as in the original.  Not /bin/sh: dash
# and busybox drop every variable whose name is none of the shell's, and a name with a dot is none.  bash hands them on.
set -e
[ "$1" = eswrapper ] || exec "$@"
# shellcheck disable=SC2086
exec java -Xms512m -Xmx512m -XX:+UseG1GC -XX:+ExitOnOutOfMemoryError $ES_JAVA_OPTS \
  -Des.path.home=/usr/share/elasticsearch -Dlog4j2.disable.jmx=true -Dlog4j2.formatMsgNoLookups=true \
  --add-opens=java.base/java.io=ALL-UNNAMED -cp '/usr/share/elasticsearch/lib/*' kit.Launcher
