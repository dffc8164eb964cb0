"""The rules that claims.yaml may name, which judge a runs frame.

A rule is data, {kind: ..., parameters}; a kind is one small function (frame, parameters) -> Outcome, and its words.
Nothing here knows a figure of the guide: those are parameters in the register.
"""

from __future__ import annotations

from collections.abc import Mapping

from kitlib.claims.rules.agreement import AGREEMENT
from kitlib.claims.rules.base import NAMES, NUMBER, OWN_REASON, Outcome, Rule, Types
from kitlib.claims.rules.checks import CHECKS, EQUALS
from kitlib.claims.rules.crossing import CROSSOVER
from kitlib.claims.rules.orders import MONOTONE, SLOPE
from kitlib.claims.rules.ratios import RATIO
from kitlib.claims.rules.sizes import FIGURES, REDUCTION

__all__ = ["NAMES", "NUMBER", "OWN_REASON", "RULES", "Outcome", "Rule", "Types"]

RULES: Mapping[str, Rule] = {
    "agreement": AGREEMENT,
    "checks": CHECKS,
    "crossover": CROSSOVER,
    "equals": EQUALS,
    "figures": FIGURES,
    "monotone": MONOTONE,
    "ratio": RATIO,
    "reduction": REDUCTION,
    "slope": SLOPE,
}
