"""Rules on how large something is: what a change saves, and whether figures fit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from kitlib.claims.rules.base import (
    NUMBER,
    OWN_REASON,
    Outcome,
    Params,
    Rule,
    all_some_none,
    marked,
    median_of,
    median_text,
    mildest,
    named,
    number,
    percent,
    rows,
    samples,
    split,
)
from kitlib.claims.rules.sentence import sentence
from kitlib.claims.verdict import Condition, Word
from kitlib.errors import ClaimError
from kitlib.host.stats import Values, interval, median, quantity


def _reduction(runs: pd.DataFrame, p: Params) -> Outcome:
    """Share of `metric` that disappears from treatment `from` to treatment `to`, repeat by repeat.

    The bootstrap interval of the median decides.
    """
    saved = {metric: _saved(runs, p, metric) for metric in (p["metric"], *p.get("also", ()))}
    judged = saved[p["metric"]]
    low, high = interval(judged) or (median(judged), median(judged))
    bound = 100 * p["at_least"]
    word: Word = "holds" if low >= bound else "refuted" if high < bound else "depends"
    ends = [quantity(end, "%") for end in (low, high)]
    spread = f"95 % interval {ends[0]} to {ends[1]}" if ends[0] != ends[1] else ""
    open_ = (
        f"not resolved at n = {len(judged)}: the interval includes {percent(p['at_least'])}"
        if word == "depends"
        else ""
    )
    met = None if open_ else word == "holds"
    own = (f"at least {percent(p['at_least'])}",) if p.get("own") else ()
    measured = rows(runs, p["metric"], {})
    return Outcome(
        verdict=mildest(word, own=bool(own)),
        reading=_saving(runs, p, saved, spread, unresolved=bool(open_)),
        unit="%",
        sample=judged,
        n=len(judged),
        reason=OWN_REASON if own and word == "refuted" else open_,
        treatments=samples(measured[measured[p["column"]].isin([p["from"], p["to"]])], [p["column"]]),
        own=own,
        conditions=(Condition(p["metric"], met, quantity(median(judged), "%"), f"at least {quantity(bound, '%')}"),),
    )


def _saving(runs: pd.DataFrame, p: Params, saved: Mapping[str, Values], spread: str, *, unresolved: bool) -> str:
    """How far the judged metric fell, from where to where; then the others."""
    parts = []
    for metric, shares in saved.items():
        before, after = (median_text(runs, metric, {p["column"]: p[end]}) for end in ("from", "to"))
        share, judged = median(shares), metric == p["metric"]
        much = "more than 99.9 %" if 99.95 <= share < 100 else quantity(abs(share), "%")
        fell = f"{'fell' if share >= 0 else 'rose'} by {much}"
        ends = (
            (f"{before} with {named(p, p['from'])}", f"{after} with {named(p, p['to'])}") if judged else (before, after)
        )
        parts.append(
            f"{named(p, metric)} {fell}, from {ends[0]} to {ends[1]}{f' ({spread})' if judged and spread else ''}"
        )
    told = " ".join(sentence(f"the {part}") for part in parts)
    return (
        f"{told} The interval includes {percent(p['at_least'])}, so that more repeats are needed."
        if unresolved
        else told
    )


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
        words = (
            f"{named(p, figure['of'])} {median_of(found)} (the guide: {_figure_words(figure, found['unit'].iloc[0])})"
        )
        parts.append(words)
    headline = rows(runs, p["metric"], {p["column"]: p["headline"]})
    apps = runs[(runs["metric"] == p["metric"]) & ~runs[p["column"]].isin(p.get("bases", []))]
    smallest = apps.groupby(p["column"])["value"].median().idxmin()
    size = median_text(runs, p["metric"], {p["column"]: smallest})
    word = all_some_none(fits.values(), own=all(figure.get("own") for figure in p["figures"]))
    return Outcome(
        verdict=word,
        reading=f"{_fitting(fits, parts)} The smallest image was {named(p, smallest)} with {size}.",
        unit=headline["unit"].iloc[0],
        sample=headline["value"].to_numpy(float),
        n=len(headline),
        reason=split("fits", "does not fit", fits) or (OWN_REASON if word == "depends" else ""),
        treatments=samples(rows(runs, p["metric"], {}), [p["column"]]),
        own=tuple(f"{f['of']} within {percent(f['within'])}" for f in p["figures"] if f.get("own")),
        conditions=tuple(Condition(of, ok, told) for (of, ok), told in zip(fits.items(), parts, strict=True)),
    )


def _fitting(fits: Mapping[str, bool], parts: list[str]) -> str:
    """How many of the guide's figures fit, and each of them beside the measured one."""
    good, bad = (
        [part for part, ok in zip(parts, fits.values(), strict=True) if ok is wanted] for wanted in (True, False)
    )
    if not good or not bad:
        scope = f"{'all of' if good else 'none of'} the guide's {len(parts)} figures fit"
        return sentence(f"{scope}: {'; '.join(parts)}")
    fit = f"{len(good)} of the guide's {len(parts)} figures {'fits' if len(good) == 1 else 'fit'}: {'; '.join(good)}"
    return f"{sentence(fit)} {sentence('the others do not: ' + '; '.join(bad))}"


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
        if figure.keys() - {"own"} not in ({"of", "below"}, {"of", "about", "within"}):
            raise ClaimError(f"the figure {dict(figure)} needs of, and either below, or about and within")
        for key in figure.keys() - {"of", "own"}:
            number(figure[key], f"{key} of the figure of {figure['of']}")


REDUCTION = Rule(
    _reduction,
    lambda p, _: (
        f"holds if going from {p['from']} to {p['to']} saves at least {percent(p['at_least'])}{marked(p)} of {p['metric']}, "
        "depends if the 95 % interval includes the bound"
    ),
    {"column": str, "from": str, "to": str, "metric": str, "at_least": NUMBER},
    {"also": list, "own": bool},
)
FIGURES = Rule(
    _figures,
    lambda p, unit: (
        "holds if every figure fits the measured median, depends if some do: "
        + "; ".join(
            f"{f['of']} {_figure_words(f, unit)}"
            + (f", within {percent(f['within'])}{marked(f)}" if "within" in f else "")
            for f in p["figures"]
        )
    ),
    {"column": str, "metric": str, "figures": list, "headline": str},
    {"bases": list},
    _check_figures,
)
