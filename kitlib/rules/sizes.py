"""Rules on how large something is: what a change saves, and whether figures fit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from kitlib.errors import ClaimError
from kitlib.rules.base import (
    NUMBER,
    Outcome,
    Params,
    Rule,
    all_some_none,
    median_of,
    median_text,
    number,
    percent,
    rows,
    split,
)
from kitlib.stats import Values, median, quantity


def _reduction(runs: pd.DataFrame, p: Params) -> Outcome:
    """Share of `metric` that disappears from treatment `from` to treatment `to`, repeat by repeat."""
    saved = {metric: _saved(runs, p, metric) for metric in (p["metric"], *p.get("also", ()))}
    judged = saved[p["metric"]]
    holds = median(judged) >= 100 * p["at_least"]
    figures = " and ".join(f"{quantity(median(v), '%')} of {metric}" for metric, v in saved.items())
    ends = " to ".join(median_text(runs, p["metric"], {p["column"]: p[end]}) for end in ("from", "to"))
    reading = f"Going from {p['from']} to {p['to']} saves {figures} ({p['metric']}: {ends})."
    return Outcome("holds" if holds else "refuted", reading, "%", judged, len(judged))


def _saved(runs: pd.DataFrame, p: Params, metric: str) -> Values:
    before, after = (rows(runs, metric, {p["column"]: p[end]}).set_index("repeat")["value"] for end in ("from", "to"))
    if set(before.index) != set(after.index) or not (before.index.is_unique and after.index.is_unique):
        raise ClaimError(f"the repeats of {p['from']} and {p['to']} do not pair up for {metric}")
    shares: npt.NDArray[np.float64] = 100 * (1 - after / before).to_numpy(dtype=float)
    return shares


def _figures(runs: pd.DataFrame, p: Params) -> Outcome:
    """Each figure of the guide against the measured median of the same treatment."""
    fits: dict[str, bool] = {}
    parts = []
    for figure in p["figures"]:
        found = rows(runs, p["metric"], {p["column"]: figure["of"]})
        fits[figure["of"]] = _fits(median(found["value"].to_numpy(float)), figure)
        parts.append(f"{figure['of']} {median_of(found)} (the guide: {_figure_words(figure, found['unit'].iloc[0])})")
    headline = rows(runs, p["metric"], {p["column"]: p["headline"]})
    apps = runs[(runs["metric"] == p["metric"]) & ~runs[p["column"]].isin(p.get("bases", []))]
    smallest = apps.groupby(p["column"])["value"].median().idxmin()
    size = median_text(runs, p["metric"], {p["column"]: smallest})
    return Outcome(
        all_some_none(fits.values()),
        f"{'; '.join(parts)}. The smallest found is {smallest} with {size}.",
        headline["unit"].iloc[0],
        headline["value"].to_numpy(float),
        len(headline),
        split("fits", "does not fit", fits),
    )


def _fits(value: float, figure: Params) -> bool:
    if "below" in figure:
        return bool(value < figure["below"])
    return bool(abs(value - figure["about"]) <= figure["within"] * figure["about"])


def _figure_words(figure: Params, unit: str) -> str:
    return (
        f"below {quantity(figure['below'], unit)}" if "below" in figure else f"about {quantity(figure['about'], unit)}"
    )


def _check_figures(p: Params) -> None:
    for figure in p["figures"]:
        if figure.keys() not in ({"of", "below"}, {"of", "about", "within"}):
            raise ClaimError(f"the figure {dict(figure)} needs of, and either below, or about and within")
        for key in figure.keys() - {"of"}:
            number(figure[key], f"{key} of the figure of {figure['of']}")


REDUCTION = Rule(
    _reduction,
    lambda p, _: (
        f"holds if going from {p['from']} to {p['to']} saves at least {percent(p['at_least'])} of {p['metric']}"
    ),
    {"column": str, "from": str, "to": str, "metric": str, "at_least": NUMBER},
    {"also": list},
)
FIGURES = Rule(
    _figures,
    lambda p, unit: (
        "holds if every figure fits the measured median, depends if some do: "
        + "; ".join(
            f"{f['of']} {_figure_words(f, unit)}" + (f", within {percent(f['within'])}" if "within" in f else "")
            for f in p["figures"]
        )
    ),
    {"column": str, "metric": str, "figures": list, "headline": str},
    {"bases": list},
    _check_figures,
)
