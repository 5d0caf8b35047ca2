"""Readings: computed sentences that say what a failed control means for its claim, and what the audits found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, get_args

import pandas as pd

from reprise.numerals import number, percent
from reprise.rows import MissingRowsError, select
from reprise.stats import Interval
from reprise.walk_alone.figures import ALONE, CUT, NETWORKS, TITLES, excess_over_past, unit_of
from reprise.walk_alone.linear_probe import Probe
from reprise.walk_alone.resampling import Sample, interval_of, samples
from reprise.walk_alone.settings import Fold, Settings

if TYPE_CHECKING:
    from reprise.claims import Verdict

WORLD, COURT, CROWD = "alone", "nba-sportvu", "eth-ucy"
EDGE = "Trajectron++Edge"


def failed_controls(verdicts: Sequence[Verdict], rows: pd.DataFrame, probes: Mapping[str, Probe]) -> str:
    """Say, for each claim with a control that fails, why it fails and what that means.

    Parameters
    ----------
    verdicts
        Of this run.
    rows
        Its rows.
    probes
        Data set to its linear probe.

    Returns
    -------
    str
        Markdown.
    """
    failing = {v.claim_id for v in verdicts if any(control.holds is False for control in v.controls)}
    if not failing:
        return "No control fails in this run."
    parts = []
    if "C3" in failing:
        parts.append(_shock(rows, probes))
    if others := sorted(failing & {"C5", "C8"}):
        parts.append(_excess(rows, probes, " and ".join(others)))
    return "\n\n".join(part for part in parts if part) or "The controls that fail are in the table above."


def _errors_of_one_seed(rows: pd.DataFrame, dataset: str) -> dict[str, Sample]:
    """Return minFDE of the networks of the seed that also trained with neighbours cut, and without any."""
    seed = rows.loc[rows["method"] == ALONE, "seed"].min()
    first = rows[rows["seed"] == seed]
    wanted = {"usual": (EDGE, "with"), "with": (CUT, "with"), "without": (CUT, "without"), "alone": (ALONE, "without")}
    how = {"dataset": dataset, "experiment": "accuracy by cluster"}
    return {
        name: samples(first, ("min_fde",), method=method, neighbours=neighbours, **how)["min_fde"]
        for name, (method, neighbours) in wanted.items()
    }


def shock_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return minFDE of the network trained with neighbours cut beside that of one that never had any, by data set.

    What the first errs more without neighbours than the second is shock that is left; what it errs less with them is
    what neighbours, or edges, are worth to it.
    """
    lines = []
    for dataset in dict.fromkeys(rows.loc[rows["method"] == ALONE, "dataset"]):
        found, unit = _errors_of_one_seed(rows, dataset), unit_of(dataset)
        value = {name: f"{number(float(sample[0]), 3 if unit == 'm' else 2)} {unit}" for name, sample in found.items()}
        lines.append(
            {
                "data set": TITLES.get(dataset, dataset),
                "cut in training: with": value["with"],
                "without": value["without"],
                "never had any": value["alone"],
                "without, against never": percent(_against(found, "without")),
                "with, against never": percent(_against(found, "with")),
            }
        )
    return pd.DataFrame(lines)


def _against(found: dict[str, Sample], which: str) -> Interval:
    return interval_of(found[which] / found["alone"] - 1, 1)


def _shock(rows: pd.DataFrame, probes: Mapping[str, Probe]) -> str:
    try:
        world, court = (_errors_of_one_seed(rows, dataset) for dataset in (WORLD, COURT))
    except MissingRowsError:
        return ""
    informative = COURT in probes and probes[COURT].change.high < 0
    meaning = (
        "neighbours do say something there, so the direction of the claim stands; the size of the increase does not "
        "measure what they say"
        if informative
        else "not even the direction of the claim is sure"
    )
    return (
        "**C3.** Two things beside interaction make a network miss its neighbours. One is shock that cutting at random "
        "did not take away: what the cut network errs more, without neighbours, than one that never had any. It is "
        f"{percent(_against(world, 'without'))} in the world `{WORLD}` and {percent(_against(court, 'without'))} on "
        "the court. The other is a second reading of the past: an edge encodes the target's own past once more, beside "
        "its history, and this goes with the last edge. Where it alone is at work, the cut network with neighbours "
        f"errs {percent(_against(world, 'with'))} against the one that never had any; on the court that number, "
        f"{percent(_against(court, 'with'))}, is an upper bound of what neighbours tell. A linear probe has no second "
        f"reading: on the court {_probe_words(probes, COURT)}, in the world {_probe_words(probes, WORLD, short=True)}. "
        f"Hence {meaning}. All this rests on one training of each network."
    )


def _probe_words(probes: Mapping[str, Probe], dataset: str, *, short: bool = False) -> str:
    if dataset not in probes:
        return "neighbours were not probed"
    change = percent(probes[dataset].change)
    return (
        f"by {change}" if short else f"neighbours change the error of a linear predictor that has the past by {change}"
    )


def _excess(rows: pd.DataFrame, probes: Mapping[str, Probe], claims: str) -> str:
    try:
        shares = {(d, m): excess_over_past(rows, d, m) for d in (WORLD, COURT) for m in NETWORKS[:2]}
    except MissingRowsError:
        return ""
    beyond = ", ".join(
        f"{method} {percent(interval_of(shares[COURT, method] - shares[WORLD, method], 1))}" for method in NETWORKS[:2]
    )
    here = ", ".join(f"{method} {percent(interval_of(shares[WORLD, method], 1))}" for method in NETWORKS[:2])
    alone = {name: percent(probes[name].alone, signed=False) for name in (WORLD, CROWD, COURT) if name in probes}
    given = "; ".join(f"{TITLES[name]} {share}" for name, share in alone.items())
    return (
        f"**{claims}.** In the world `{WORLD}` (interaction − random max) / past is {here}, and the control asks the "
        f"court to exceed that with both networks; the differences are {beyond}. The world is not the null that it was "
        "meant to be. Given the past, neighbours say nothing there; but half of all coalitions are without the past, "
        "and then *where the others stand* gives the target away, since everybody starts in one square and walks out "
        f"of it. Neighbours alone explain of the variance of a displacement, linearly: {given}. The "
        "place of a stranger, taken from another scene, explains nothing. So a real neighbour can earn more than a "
        "stranger without any interaction, on the court and in the crowd as well. What real neighbours on "
        "the court earn beyond such shared geometry is the difference above: where its interval reaches 0, it does not "
        f"support {claims}."
    )


def audit_finding(rows: pd.DataFrame, audit: str) -> str:
    """Say where an audit changes a share most, among the data sets of this run; empty if it was not made."""
    try:
        found = select(rows, experiment=audit)
    except MissingRowsError:
        return ""
    shares = found[found["metric"] != "efficiency gap"]
    wide = shares.pivot_table(index=["dataset", "method", "metric"], columns="variant", values="value")
    worst = (wide["as released"] - wide["corrected"]).abs().idxmax()
    dataset, method, metric = (str(part) for part in worst)
    released, corrected = (number(float(wide.loc[worst, name]), 2) for name in ("as released", "corrected"))
    return (
        f"changes most the share “{metric}” of {method} on {TITLES.get(dataset, dataset)}: {released} as released, "
        f"{corrected} corrected"
    )


def scope(settings: Settings) -> str:
    """Say what the verdicts rest on: how many folds, targets and seeds."""
    trainings = f"{len(settings.seeds)} training seeds" if len(settings.seeds) > 1 else "one training seed"
    words = [f"Shares are means over {settings.n_targets} targets per network and {trainings}"]
    if CROWD in settings.datasets:
        folds = get_args(Fold)
        words.append(
            f"ETH-UCY is represented by {len(settings.folds)} of its {len(folds)} folds ({', '.join(settings.folds)}), "
            "on which C1, C2, C5 and C8 rest"
        )
    if COURT in settings.datasets:
        words.append(f"of SportVU one window start in {settings.clip_every} is trained on")
    return "; ".join(words) + "."
