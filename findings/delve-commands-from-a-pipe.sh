#!/bin/sh
# Delve takes its commands from a pipe or a file for `dlv connect`, and refuses to for the other ways to begin a session.
#
# Guessed: like gdb, dlv reads commands from standard input whatever that is: `dlv attach PID < commands` and
#   `dlv exec PROGRAM < commands` work in a script, in CI and under `docker run -i`, or none of the ways does.
# True: exec, attach, debug, test, core and replay end at once with status 1 when standard input, output or error is no
#   terminal, and the message speaks first of redirects for the target process. An --init file does not help: the check
#   comes before it. --allow-non-terminal-interactive=true lifts it. `dlv connect`, the same command line in front of a
#   headless server, has no such check: there a file of commands works without the flag.
# Why it matters: a runbook that was tried with connect fails where attach is needed, as in `kubectl debug --target`
#   without -t; so does one whose output is kept by `> log`. A script that ignores the status has no goroutines of the
#   hanging process, which is then restarted.
# Sources: go-delve/delve v1.27.2, cmd/dlv/cmds/commands.go: execute() has the check, connectCmd() does not call it.
set -eu
work=$(mktemp -d)
# shellcheck source=/dev/null
. "$(dirname "$0")/lib/common.sh"

need go
GOBIN=$work/bin go install github.com/go-delve/delve/cmd/dlv@v1.27.2 2>"$work/log" || missing "delve 1.27.2 (Go 1.25 or newer)"
"$work/bin/dlv" version | grep '^Version'
export XDG_CONFIG_HOME="$work/config" HOME="$work/home" TERM=dumb
mkdir -p "$work/program" "$HOME"
cat >"$work/program/main.go" <<'GO'
package main

import "time"

func main() { time.Sleep(time.Minute) }
GO
(cd "$work/program" && printf 'module sleeper\n\ngo 1.21\n' >go.mod && go build -o "$work/sleeper" .)
printf 'print 6 * 7\nexit\n' >"$work/commands"

# session WORDS...: the status of a session with the commands from a file, and whether they ran.
session() {
    status=0
    "$work/bin/dlv" "$@" <"$work/commands" >"$work/said" 2>&1 || status=$?
    ran=no
    ! grep -q '\b42\b' "$work/said" || ran=yes
    why=$(grep -o 'Stdin is not a terminal' "$work/said" | head -n 1)
    echo "dlv $(echo "$*" | sed "s|$work/||g; s|127.0.0.1:[0-9]*|ADDRESS|; s| [0-9][0-9]*\$| PID|"): status $status, commands run: $ran${why:+ ($why)}"
}

{
    session exec "$work/sleeper"
    session exec --init "$work/commands" "$work/sleeper"
    session exec --allow-non-terminal-interactive=true "$work/sleeper"
    "$work/bin/dlv" exec --headless --listen=127.0.0.1:0 "$work/sleeper" </dev/null >"$work/server" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        address=$(sed -n 's/^API server listening at: //p' "$work/server")
        [ -z "$address" ] || break
        sleep 0.1
    done
    session connect "$address"
    wait "$server" || :
} >"$work/seen"

compare <<'EXPECTED'
dlv exec sleeper: status 1, commands run: no (Stdin is not a terminal)
dlv exec --init commands sleeper: status 1, commands run: no (Stdin is not a terminal)
dlv exec --allow-non-terminal-interactive=true sleeper: status 0, commands run: yes
dlv connect ADDRESS: status 0, commands run: yes
EXPECTED
