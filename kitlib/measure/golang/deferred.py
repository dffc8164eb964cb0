"""Which deferred calls run when a function is left, and what stays open?"""

from __future__ import annotations

from kitlib.claims.levels import takes
from kitlib.errors import KitError
from kitlib.host import proc
from kitlib.measure.golang.gobinary import binary

WAYS = ("return", "error", "panic", "runtime.Goexit", "os.Exit", "log.Fatal")


@takes({"leaked": "count"}, by=WAYS)
def leave(by: str, *, files: int = 50) -> dict[str, float]:
    """`ran`: % of the deferred calls that ran; `leaked`: descriptors left open, where the process lives on to count them.

    by: one of WAYS.  files: how many files one function opens, each with its closing deferred.
    """
    said = proc.run([binary("deferred"), "-leave", by, "-files", str(files)], check=False, group=True).splitlines()
    if "begin" not in said:
        raise KitError(f"the program did not get as far as leaving by {by}", observed=said[-10:])
    after = said[said.index("begin") + 1 :]
    ran = {"ran": 100 * after.count("closed") / files}
    counted = next((line for line in after if line.startswith("leaked")), None)
    return ran | ({"leaked": float(counted.split()[1])} if counted else {})
