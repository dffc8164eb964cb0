#!/bin/sh
# The guide's three commands, with this chapter's names, and in the guide's order: the login comes last.
set -e
docker tag kit.local/registry:hello "$REGISTRY/shop/hello:1.0"
docker push "$REGISTRY/shop/hello:1.0"
docker login "$REGISTRY"
