"""The rules that decide the claims of the paper, fixed before the first published run, and their controls.

A training (model and seed) whose R² on the random split is below 0.9 has not converged and is left out of every rule.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from reprise.claims import Finding, Outcome
from reprise.in_domain.convergence import (
    CONTROL_SCORE,
    CONVERGED,
    converged_runs,
    converged_scores,
    convergence,
    of_converged,
)
from reprise.in_domain.settings import MAIN_DATA_SET
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import Interval, paired_differences, spearman_interval, t_interval

if TYPE_CHECKING:
    import pandas as pd

LEAST_DROP = 0.1
ADVANTAGE = 0.05
REPEATED = ("CNN", "MLP")
BIASED = ("RotEq-CNN", "Ada-GVAE", "SlowVAE", "PCL")
NOT_SUPERVISED = ("BetaVAE", "Ada-GVAE", "SlowVAE", "PCL")
LEAST_REPRESENTATIONS = 10
BLOG_CONTROL = {"subset": "control", "metric": "shape_accuracy"}
WEAK = 0.5
LOSS = "R² on the random split − R² in extrapolation, mean over models"
RATIO = "median rho, mean over seeds and models, interval over factors"
CHAINS = (("random", "composition", "extrapolation"), ("random", "interpolation", "extrapolation"))


def _left_out(others: list[str]) -> str:
    return f"; not converged and left out: {', '.join(others)}" if others else ""


def _words(interval: Interval) -> str:
    return f"{interval.estimate:.2f} [{interval.low:.2f}, {interval.high:.2f}], n = {interval.n}"


def _drop(rows: pd.DataFrame, method: str, split: str) -> float:
    random, systematic = (converged_scores(rows, method, kind) for kind in ("random", split))
    return float(paired_differences(random, systematic).mean())


def all_models_lose(rows: pd.DataFrame) -> Finding:
    """Decide C1.

    Decided by extrapolation; composition and interpolation are in the evidence. R² on the random split minus R² on
    the extrapolation split, of every converged model: the t interval over models lies above 0, every model loses more
    than 0.1, and at least half of the trained models have converged, among them one that is not or weakly supervised
    (BetaVAE, Ada-GVAE, SlowVAE, PCL): reproduced; interval above 0 only: partly; below 0: not reproduced; else
    inconclusive.
    """
    converged, others = convergence(rows)
    drops = {method: _drop(rows, method, "extrapolation") for method in converged}
    interval = t_interval(list(drops.values()))
    least = min(drops, key=drops.__getitem__)
    evidence = (
        f"Mean loss over {len(drops)} models {_words(interval)}; the smallest {drops[least]:.2f} ({least})"
        f"{_other_losses(rows, converged)}{_left_out(others)}."
    )
    if interval.above(0):
        broad = len(converged) >= len(others) and any(method in NOT_SUPERVISED for method in converged)
        every = broad and drops[least] > LEAST_DROP
        return Finding("reproduced" if every else "partly reproduced", evidence, interval, quantity=LOSS)
    return Finding("not reproduced" if interval.below(0) else "inconclusive", evidence, interval, quantity=LOSS)


def _other_losses(rows: pd.DataFrame, methods: list[str]) -> str:
    """Say what the models that were trained on them lose on the composition and the interpolation split."""
    words = ""
    for split in ("composition", "interpolation"):
        drops = {}
        for method in methods:
            try:
                drops[method] = _drop(rows, method, split)
            except MissingRowsError:
                continue
        if drops:
            words += f"; in {split} {np.mean(list(drops.values())):.2f} ({', '.join(drops)})"
    return words


def order_of_difficulty(rows: pd.DataFrame) -> Finding:
    """Decide C2.

    Two chains: random > composition > extrapolation, and random > interpolation > extrapolation. A chain holds if it
    does in the mean over converged models with all four splits and, of CNN and MLP, in each of at least two seeds.
    Both hold: reproduced; one: partly; both fail in the mean over models: not reproduced; else inconclusive.
    """
    kinds = ("random", "composition", "interpolation", "extrapolation")
    scores: dict[str, dict[str, pd.Series]] = {}
    for method in convergence(rows)[0]:
        try:
            scores[method] = {kind: converged_scores(rows, method, kind) for kind in kinds}
        except MissingRowsError:
            continue
    if not scores:
        raise MissingRowsError("no converged model was trained on all four splits.")
    means = {kind: float(np.mean([found[kind].mean() for found in scores.values()])) for kind in kinds}
    in_mean = [_falls([means[kind] for kind in chain]) for chain in CHAINS]
    in_seeds = [_falls_in_every_seed(scores, chain) for chain in CHAINS]
    hold = [mean and seeds for mean, seeds in zip(in_mean, in_seeds, strict=True)]
    values = ", ".join(f"{kind} {value:.2f}" for kind, value in means.items())
    evidence = f"Mean R² of {', '.join(scores)}: {values}; chains that hold in every seed: {sum(hold)} of 2."
    if any(hold):
        return Finding("reproduced" if all(hold) else "partly reproduced", evidence)
    return Finding("inconclusive" if any(in_mean) else "not reproduced", evidence)


def _falls(values: list[float]) -> bool:
    return all(a > b for a, b in pairwise(values))


def _falls_in_every_seed(scores: dict[str, dict[str, pd.Series]], chain: tuple[str, ...]) -> bool:
    for method in REPEATED:
        if method not in scores:
            return False
        columns = [scores[method][kind] for kind in chain]
        seeds = columns[0].index
        if len(seeds) < 2 or not all(_falls([float(column[seed]) for column in columns]) for seed in seeds):
            return False
    return True


def _modularity(rows: pd.DataFrame, method: str) -> dict[tuple[str, str], np.ndarray]:
    """Loss of R² of factor k where only factor j is out of distribution, for every (j, k), one value per seed."""
    found = select(rows, dataset=MAIN_DATA_SET, experiment="comparison", method=method, split="extrapolation")
    outside = sorted(s.removeprefix("only ") for s in found["subset"].dropna().unique() if s.startswith("only "))
    factors = [f for f in found["factor"].dropna().unique() if not f.startswith("mean")]
    return {
        (j, k): paired_differences(
            converged_scores(rows, method, "random", factor=k),
            converged_scores(rows, method, "extrapolation", subset=f"only {j}", factor=k),
        )
        for j in outside
        for k in factors
    }


def modular(rows: pd.DataFrame) -> Finding:
    """Decide C4.

    CNN and MLP, test images with exactly one factor out of distribution: the loss of R² of each other factor against
    the random split. Per seed, the loss of the factor itself must exceed the others' mean loss. If it always does and
    the t interval over seeds of the others' mean loss lies below 0.1 with no pair of factors above: reproduced; if
    that interval lies below 0.1 only after the single worst pair is left out, or for one model only: partly; the
    interval over all pairs above 0.1, or the factor itself never loses more: not reproduced; else inconclusive.
    """
    words: list[str] = []
    outcomes: list[Outcome] = []
    shown = None
    present = [method for method in REPEATED if method in convergence(rows)[0]]
    if not present:
        raise MissingRowsError("neither CNN nor MLP has converged.")
    for method in present:
        losses = _modularity(rows, method)
        others = np.array([loss for (j, k), loss in losses.items() if j != k])
        own = np.array([loss for (j, k), loss in losses.items() if j == k]).mean(0)
        outcomes.append(_modular_outcome(own, others))
        mean, rest = t_interval(others.mean(0)), t_interval(_without_worst(others).mean(0))
        worst = max((pair for pair in losses if pair[0] != pair[1]), key=lambda pair: float(losses[pair].mean()))
        shown = shown or mean
        words.append(
            f"{method} ({outcomes[-1]}): others lose {_words(mean)}, without the worst pair {_words(rest)}, the factor "
            f"itself {own.mean():.2f}; worst {worst[1]} when {worst[0]} is out, {losses[worst].mean():.2f}"
        )
    outcome = _joint(outcomes)
    if outcome == "reproduced" and len(present) < len(REPEATED):
        outcome = "partly reproduced"
    return Finding(outcome, "; ".join(words) + ".", shown, quantity=f"loss of R² of the other factors, {present[0]}")


def _modular_outcome(own: np.ndarray, others: np.ndarray) -> Outcome:
    """Decide for one model; losses of the factor itself (seeds,) and of the other factors (pairs, seeds)."""
    mean, rest = t_interval(others.mean(0)), t_interval(_without_worst(others).mean(0))
    above = own > others.mean(0)
    if mean.above(LEAST_DROP) or not above.any():
        return "not reproduced"
    if above.all() and mean.below(LEAST_DROP) and others.mean(1).max() <= LEAST_DROP:
        return "reproduced"
    return "partly reproduced" if above.all() and rest.below(LEAST_DROP) else "inconclusive"


def _without_worst(losses: np.ndarray) -> np.ndarray:
    return np.delete(losses, losses.mean(1).argmax(), axis=0)


def _joint(outcomes: list[Outcome]) -> Outcome:
    """Join the outcomes of several models: all alike, or partly if one at least holds in part."""
    if len(set(outcomes)) == 1:
        return outcomes[0]
    holding = [outcome for outcome in outcomes if outcome in ("reproduced", "partly reproduced")]
    return "partly reproduced" if holding else "inconclusive"


def pulled_towards_the_training_range(rows: pd.DataFrame) -> Finding:
    """Decide C5.

    Where exactly one factor is out of distribution: the median over images of rho, the ratio of predicted to true
    distance from the training mean, in size, averaged over the converged seeds of a model, then over models: one
    value a factor. Their t interval over factors lies below 1, and every model and factor has a median below 1 and
    more than half of its images below 1: reproduced; interval below 1 only: partly; above 1: not reproduced; else, or
    with a single seed: inconclusive.
    """
    converged, others = convergence(rows)
    how = {"dataset": MAIN_DATA_SET, "experiment": "comparison", "split": "extrapolation"}
    kept = of_converged(select(rows, **how), converged_runs(rows))
    medians, shares = (select(kept, metric=f"rho_{name}") for name in ("median", "share_below_1"))
    signed = select(kept, metric="rho_signed_median")["value"]
    cells = medians.groupby(["method", "factor"])["value"].mean()
    interval = t_interval(cells.groupby("factor").mean())
    below = (cells < 1) & (shares.groupby(["method", "factor"])["value"].mean() > 0.5)
    evidence = (
        f"Median rho {_words(interval)} factors (mean over {len(converged)} models); below 1 for {int(below.sum())} "
        f"of {len(below)} models and factors; smallest signed median {signed.min():.2f}{_left_out(others)}."
    )
    single = medians["seed"].nunique() < 2
    if interval.below(1) and not single:
        return Finding("reproduced" if below.all() else "partly reproduced", evidence, interval, quantity=RATIO)
    outcome: Outcome = "not reproduced" if interval.above(1) and not single else "inconclusive"
    return Finding(outcome, evidence, interval, quantity=RATIO)


def no_class_wins(rows: pd.DataFrame) -> Finding:
    """Decide C6.

    Extrapolation: (a) no converged model exceeds the clamp oracle; (b) no converged one among RotEq-CNN, Ada-GVAE,
    SlowVAE and PCL exceeds the CNN by more than 0.05. Both: partly (most have one seed, and real images are missing);
    one is exceeded by more than 0.05: not reproduced; fewer than two such models converged, or a smaller excess:
    inconclusive.
    """
    converged, others = convergence(rows)
    means = {method: float(converged_scores(rows, method, "extrapolation").mean()) for method in converged}
    oracle = {"dataset": MAIN_DATA_SET, "method": "Clamp oracle", "split": "extrapolation", "metric": "r2"}
    clamp = float(select(rows, **oracle, subset="test", factor="mean")["value"].iloc[0])
    best = max(means, key=means.__getitem__)
    biased = {method: means[method] for method in BIASED if method in means}
    cnn = means.get("CNN")
    if cnn is None:
        raise MissingRowsError("the CNN has not converged; there is nothing to compare with.")
    words = ", ".join(f"{method} {value:.2f}" for method, value in biased.items()) or "none"
    evidence = (
        f"Clamp oracle {clamp:.2f}; best model {best} {means[best]:.2f}; CNN {cnn:.2f}; equivariant or weakly "
        f"supervised: {words}{_left_out(others)}."
    )
    excess = max([means[best] - clamp, *(value - cnn - ADVANTAGE for value in biased.values())])
    if excess > ADVANTAGE:
        return Finding("not reproduced", evidence)
    return Finding("partly reproduced" if excess <= 0 and len(biased) >= 2 else "inconclusive", evidence)


def _blog(rows: pd.DataFrame, method: str, metric: str, **further: str) -> np.ndarray:
    how = {"dataset": MAIN_DATA_SET, "experiment": "blog", "method": method, "metric": metric, **further}
    return paired_differences(*(per_seed(rows, **how, subset=subset) for subset in ("control", "held out")))


def held_out_combinations(rows: pd.DataFrame) -> Finding:
    """Decide C8.

    Shape accuracy on large hearts and small squares, trained on everything else but equally many images minus trained
    without any of them, of the (model, seed) that have converged on the random split: t interval over seeds above 0 for
    CNN and MLP: reproduced (for 2 of the 17 models); for one: partly; below 0 for both: not reproduced; else
    inconclusive.
    """
    rows = of_converged(select(rows, experiment="blog", dataset=MAIN_DATA_SET), converged_runs(rows))
    present = set(rows["method"])
    gaps = {method: t_interval(_blog(rows, method, "shape_accuracy")) for method in REPEATED if method in present}
    evidence = "; ".join(
        f"{method}: loses {gap.estimate:.0f} points [{gap.low:.0f}, {gap.high:.0f}] of "
        f"{select(rows, **BLOG_CONTROL, method=method)['value'].mean():.0f}, n = {gap.n}"
        for method, gap in gaps.items()
    )
    evidence += f" ({len(gaps)} of the 17 models)."
    above = [gap.above(0) for gap in gaps.values()]
    quantity = f"control − held out, {next(iter(gaps))}, points of shape accuracy"
    first = next(iter(gaps.values()))
    if any(above):
        every = len(above) == len(REPEATED) and all(above)
        return Finding("reproduced" if every else "partly reproduced", evidence, first, quantity=quantity)
    outcome: Outcome = "not reproduced" if all(gap.below(0) for gap in gaps.values()) else "inconclusive"
    return Finding(outcome, evidence, first, quantity=quantity)


def disentanglement_predicts_little(rows: pd.DataFrame) -> Finding:
    """Decide C7.

    Spearman's correlation of DCI disentanglement (random split) with R² in extrapolation, over the converged
    representations (model and seed): interval within ±0.5: reproduced; wholly above 0.5 or below −0.5: not reproduced;
    else inconclusive; fewer than 10 representations: not testable.
    """
    how = {"dataset": MAIN_DATA_SET, "experiment": "comparison"}
    found = select(rows, **how, metric="dci_disentanglement", split="random")
    pairs = found.set_index(["method", "seed"])["value"].to_frame("dci")
    score = select(rows, **how, split="extrapolation", subset="test", factor="mean", metric="r2")
    pairs = pairs.join(score.set_index(["method", "seed"])["value"].rename("r2"), how="inner").dropna()
    pairs = pairs[pairs.index.isin(converged_runs(rows))]
    if len(pairs) < LEAST_REPRESENTATIONS:
        evidence = f"{len(pairs)} converged representations; a correlation needs {LEAST_REPRESENTATIONS}."
        return Finding("not testable here", evidence)
    interval = spearman_interval(pairs["dci"], pairs["r2"])
    evidence = f"Spearman's correlation {_words(interval)} representations."
    outcome: Outcome = "inconclusive"
    if interval.below(WEAK) and interval.above(-WEAK):
        outcome = "reproduced"
    elif interval.above(WEAK) or interval.below(-WEAK):
        outcome = "not reproduced"
    return Finding(outcome, evidence, interval, quantity="correlation of DCI with R² in extrapolation")


def no_gap_on_the_random_split(rows: pd.DataFrame) -> tuple[bool, str]:
    """On the random split nothing new is asked: R² on test images must equal that on training images."""
    gaps = [
        float((converged_scores(rows, m, "random", subset="train") - converged_scores(rows, m, "random")).mean())
        for m in convergence(rows)[0]
    ]
    return max(gaps) < ADVANTAGE, f"train − test on the random split at most {max(gaps):.3f}"


def positions_unharmed(rows: pd.DataFrame) -> tuple[bool, str]:
    """Hearts and squares were seen at all places: their positions must be read as well as in the control."""
    losses = {f: float(_blog(rows, "CNN", "r2", factor=f).mean()) for f in ("x", "y")}
    return max(losses.values()) < LEAST_DROP, ", ".join(f"R² of {f} falls by {v:.3f}" for f, v in losses.items())


def mechanism_known(rows: pd.DataFrame) -> tuple[bool, str]:
    """A CNN that was taught how position acts on images must have rho within 0.05 of 1, and have converged."""
    how = {"dataset": MAIN_DATA_SET, "split": "extrapolation", "metric": "rho_signed_median", "factor": ["x", "y"]}
    taught_cnn = {"dataset": MAIN_DATA_SET, "experiment": "remedies", "method": "CNN, augmented"}
    on_random = per_seed(rows, **taught_cnn, **CONTROL_SCORE)
    signed = per_seed(rows, **{**how, **taught_cnn})
    converged = on_random.index[on_random >= CONVERGED]
    if converged.empty:
        return False, f"the taught CNN has not converged: R² {on_random.mean():.2f} on the random split"
    taught = float(signed[signed.index.isin(converged)].mean())
    plain = float(select(rows, **how, experiment="comparison", method="CNN")["value"].mean())
    return abs(1 - taught) < ADVANTAGE, f"median rho of x and y: {taught:.2f} taught, {plain:.2f} plain"
