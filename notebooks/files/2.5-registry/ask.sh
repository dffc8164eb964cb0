#!/bin/sh
# Asks the registry's API: sh ask.sh PATH [OPTIONS OF CURL].  It needs REGISTRY and REGISTRY_FILES in the environment.
# The password reaches curl by stdin, because every user of a machine can list the arguments of its commands.
path=$1
shift
single='application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'
several='application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json'
printf 'user = "kit:%s"\n' "$(cat "$REGISTRY_FILES/password")" |
  curl --config - --silent --show-error --noproxy '*' --cacert "$REGISTRY_FILES/ca.crt" \
    --header "Accept: $single, $several" "$@" "https://$REGISTRY$path"
