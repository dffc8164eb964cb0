#!/bin/sh
# One .dockerignore, two build contexts: docker-py ignores the case of names, and leaves out files that BuildKit sends.
#
# Guessed: docker-py's images.build() sends the files that `docker build` sends: the format is one, and docker-py's matcher
#   says that it is based on Docker's own.
# True: three differences, on Linux, with patterns that both accept:
#   - docker-py matches without regard to case: `build` takes Build/ away, `makefile` takes Makefile away;
#   - an exception below an ignored folder counts only if its text begins with that folder's name: of the allow-list
#     `*` and `!**/*.go`, docker-py sends the Go files of the top folder and none below it;
#   - exceptions that docker-py adds of its own send Dockerfile and .dockerignore into the context, also past `*`.
# Why it matters: a build from a test suite or a notebook and the same build in CI differ: a COPY fails, or worse, `go build
#   ./...` succeeds with a package fewer. The classic builder's client has the second difference too, so that old answers
#   on the web contradict each other; BuildKit does not. Portable: name folders (`!cmd`), never `!**/…`, and do not rely
#   on case.
# Sources: docker/utils/fnmatch.py and docker/utils/build.py; docker/cli#2847 and #2919 (the classic builder).
set -eu
work=$(mktemp -d)
# shellcheck source=/dev/null
. "$(dirname "$0")/lib/common.sh"

need go
python_with venv docker==7.2.0
mkdir "$work/buildkit"
cat >"$work/buildkit/go.mod" <<'GO'
module finding

go 1.25.0

require (
	github.com/moby/patternmatcher v0.6.1
	github.com/tonistiigi/fsutil v0.0.0-20261103091533-a72de9dcf763
)
GO
cat >"$work/buildkit/main.go" <<'GO'
// Lists the files that BuildKit's client sends for a folder with a .dockerignore: the same reader, the same filter.
package main

import (
	"context"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"

	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"
)

func list(folder string) error {
	file, err := os.Open(filepath.Join(folder, ".dockerignore"))
	if err != nil {
		return err
	}
	defer file.Close()
	patterns, err := ignorefile.ReadAll(file)
	if err != nil {
		return err
	}
	all, err := fsutil.NewFS(folder)
	if err != nil {
		return err
	}
	kept, err := fsutil.NewFilterFS(all, &fsutil.FilterOpt{ExcludePatterns: patterns})
	if err != nil {
		return err
	}
	return kept.Walk(context.Background(), "", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			fmt.Println(path)
		}
		return err
	})
}

func main() {
	if err := list(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}
GO
export GOFLAGS="-mod=mod -modcacherw" GOPATH="$work/go" GOMODCACHE="$work/go/pkg/mod" GOCACHE="$work/cache" GOWORK=off CGO_ENABLED=0
(cd "$work/buildkit" && go build -o sends . 2>"$work/log") || missing "Go modules: $(tail -n 3 "$work/log")"
modules=$(cd "$work/buildkit" && go list -m github.com/tonistiigi/fsutil github.com/moby/patternmatcher | paste -s -d " " -)
echo "$(go version | cut -d " " -f 3), $modules"

cat >"$work/docker_py.py" <<'PYTHON'
"""Lists the files that docker-py sends: what APIClient.build() posts, taken where it would go out."""
import sys, tarfile
import docker

client = docker.APIClient(base_url="tcp://127.0.0.1:1", version="1.47")


class Sent(Exception):
    pass


def post(_url, data, **_):
    with tarfile.open(fileobj=data) as context:
        print(*sorted(entry.name for entry in context if entry.isfile()), sep="\n")
    raise Sent


client._post = post
try:
    client.build(path=sys.argv[1])
except Sent:
    pass
PYTHON

context=$work/context
mkdir -p "$context/cmd/app" "$context/Build"
for file in Dockerfile Makefile main.go cmd/app/app.go Build/generate.go; do echo >"$context/$file"; done
both() { # PATTERN...: what do both send?
    printf '%s\n' "$@" >"$context/.dockerignore"
    echo ".dockerignore: $*"
    DOCKER_CONFIG="$work" "$work/venv/bin/python" "$work/docker_py.py" "$context" | sort >"$work/docker-py"
    "$work/buildkit/sends" "$context" | sort >"$work/sent"
    echo "  BuildKit:  $(grep -v -x '.dockerignore' "$work/sent" | paste -s -d ' ' -)"
    echo "  docker-py: $(grep -v -x '.dockerignore' "$work/docker-py" | paste -s -d ' ' -)"
}
{
    both build makefile
    both '*' '!**/*.go'
    both '*' '!main.go' '!cmd'
} >"$work/seen"

compare <<'EXPECTED'
.dockerignore: build makefile
  BuildKit:  Build/generate.go Dockerfile Makefile cmd/app/app.go main.go
  docker-py: Dockerfile cmd/app/app.go main.go
.dockerignore: * !**/*.go
  BuildKit:  Build/generate.go cmd/app/app.go main.go
  docker-py: Dockerfile main.go
.dockerignore: * !main.go !cmd
  BuildKit:  cmd/app/app.go main.go
  docker-py: Dockerfile cmd/app/app.go main.go
EXPECTED
