#!/bin/sh
# For the exercise `ignore`: makes the folder `ignore`, with three things in it that do not belong in an image.
set -eu
mkdir -p ignore/bin ignore/.git/objects/pack
cat > ignore/Dockerfile <<'END'
ARG ALPINE
FROM ${ALPINE}
COPY . /src
END
printf 'package main\n\nfunc main() {}\n' > ignore/main.go
printf 'API_KEY=not-for-everyone-7f3a\n' > ignore/.env
head -c 2000000 /dev/zero | tr '\000' x > ignore/.git/objects/pack/one
head -c 3000000 /dev/zero | tr '\000' y > ignore/bin/old
