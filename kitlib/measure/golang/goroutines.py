"""What does a goroutine cost, and what a thread?"""

from __future__ import annotations

import sys

from kitlib.errors import UsageError, choice
from kitlib.measure.golang.gobinary import answer

THREADS = 2000  # the most that are ever started; a system limits them
UNITS = dict.fromkeys(("resident", "kernel", "virtual"), "kB") | {"ns": "ns"}


def cost(started: str) -> dict[str, float]:
    """kB of 10^3 bytes and ns of each, for `started` like "1000 threads" or "100000 goroutines", all waiting at the same time.

    `memory`: what is resident plus what the kernel holds for it: its stacks and page tables, where Linux shows them.
    `virtual`: reserved addresses, which take no memory until they are touched.  `ns`: until all of them have begun.
    """
    count, _, kind = started.partition(" ")
    choice(kind, ("goroutines", "threads"), "what can be started")
    if not count.isdigit():
        raise UsageError(f"{started!r} has no number", hint="like 1000 threads")
    if kind == "threads" and int(count) > THREADS:
        raise UsageError(f"{started} are too many", hint=f"at most {THREADS}")
    found = answer("goroutines", "-count", count, *(["-threads"] if kind == "threads" else []))
    seen = ("resident", "kernel", "virtual") if sys.platform == "linux" else ("resident",)
    sizes = {name: float(found[name]) / 1000 for name in seen}
    return {"memory": sizes["resident"] + sizes.get("kernel", 0), **sizes, "ns": found["ns"]}
