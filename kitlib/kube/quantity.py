"""Kubernetes quantities, such as 250m (cores) or 12Mi (bytes).

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/; the `kubernetes` package reads them too, in
kubernetes.utils, whose import takes longer than all that is read here.
"""

from __future__ import annotations

import re

SUFFIXES = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18} | {
    f"{letter}i": 1024**power for power, letter in enumerate("KMGTPE", 1)
}
FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)")


def parse(amount: str | float) -> float:
    """The quantity as a number: cores, bytes or whatever it counts.  Raises ValueError for a text that is no quantity."""
    found = FORM.fullmatch(str(amount))
    if found is None:
        raise ValueError(f"{amount!r} is not a quantity of Kubernetes")
    figure, exponent, suffix = found.groups()
    return float(figure) * (10.0 ** int(exponent) if exponent else SUFFIXES[suffix or ""])
