#!/bin/sh
# Java's options come from ES_JAVA_OPTS, and settings from variables with a dot in their names, as in the original.
set -e
[ "$1" = eswrapper ] || exec "$@"
# shellcheck disable=SC2086
exec java -Xms512m -Xmx512m -XX:+UseG1GC -XX:+ExitOnOutOfMemoryError $ES_JAVA_OPTS \
  -Des.path.home=/usr/share/elasticsearch -Dlog4j2.disable.jmx=true -Dlog4j2.formatMsgNoLookups=true \
  --add-opens=java.base/java.io=ALL-UNNAMED -cp '/usr/share/elasticsearch/lib/*' kit.Launcher
