#!/bin/sh
# Options and Traefik's own subcommands go to Traefik; anything else is run as it stands.  So does the original's.
set -e
case "$1" in
-*) set -- traefik "$@" ;;
traefik) ;;
*) ! traefik "$1" --help >/dev/null 2>&1 || set -- traefik "$@" ;;
esac
exec "$@"
