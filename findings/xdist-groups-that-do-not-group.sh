#!/bin/sh
# pytest-xdist 3.8.0 under pytest 9.2: `--dist loadgroup` groups nothing, and says nothing.
#
# Guessed: tests marked xdist_group("cluster") run one after the other on one worker; if a plugin and pytest did not fit,
#   pip would refuse, or a warning or an error would tell.
# True: under pytest 9.1.1 they do. Under pytest 9.2.0, which pip installs beside the same xdist, they are spread over
#   all workers. No warning even with -W error, no unknown mark even with --strict-markers, exit code 0. xdist hands
#   the group to its scheduler by writing the item's private _nodeid; pytest 9.2 makes node IDs from another field.
# Why it matters: the mark is there for what must not run side by side: one cluster, one registry, one port, one quota.
#   The suite stays green until two workers meet there, and then fails at random. What still groups: --dist loadfile
#   or loadscope, with those tests in one file or class.
# Sources: pytest-dev/pytest-xdist#1386.
set -eu
work=$(mktemp -d)
# shellcheck source=/dev/null
. "$(dirname "$0")/lib/common.sh"

cat >"$work/test_group.py" <<'PYTHON'
import os, pathlib
import pytest


@pytest.mark.xdist_group("cluster")
@pytest.mark.parametrize("number", range(20))
def test_one_at_a_time(number):
    (pathlib.Path(os.environ["SEEN"]) / os.environ["PYTEST_XDIST_WORKER"]).touch()
PYTHON

run() { # PYTEST-VERSION MODE: how many workers ran tests of the one group?
    mkdir "$work/$1-$2"
    SEEN="$work/$1-$2" "$work/venv/bin/python" -m pytest -q -c /dev/null --rootdir "$work" -p no:cacheprovider \
        --strict-markers -W error -n 2 --dist "$2" "$work/test_group.py" >"$work/log" || { cat "$work/log" >&2; exit 1; }
    echo "pytest $1 --dist $2: the group ran on $(find "$work/$1-$2" -type f | wc -l | tr -d ' ') worker(s)"
}
python_with venv pytest==9.1.1 pytest-xdist==3.8.0
run 9.1.1 loadgroup >"$work/seen"
python_with venv pytest==9.2.0 pytest-xdist==3.8.0
"$work/venv/bin/pip" check >/dev/null || missing "packages that fit together"
{
    run 9.2.0 loadgroup
    run 9.2.0 loadfile
} >>"$work/seen"

compare <<'EXPECTED'
pytest 9.1.1 --dist loadgroup: the group ran on 1 worker(s)
pytest 9.2.0 --dist loadgroup: the group ran on 2 worker(s)
pytest 9.2.0 --dist loadfile: the group ran on 1 worker(s)
EXPECTED
