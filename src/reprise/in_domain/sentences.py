"""Sentences with computed numbers, for the text of the chapter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reprise.in_domain.convergence import CONVERGED, converged_runs, converged_scores, convergence, of_converged
from reprise.in_domain.grid import GRIDS
from reprise.in_domain.lookups import MEAN_SCORE, TITLES, clamp_score, conditions, converged_seeds, methods_of
from reprise.in_domain.models import APPROACHES
from reprise.in_domain.rates import best_rates, read_trials
from reprise.in_domain.settings import ALL_ORIENTATIONS, MAIN_DATA_SET
from reprise.in_domain.splits import make_split
from reprise.numerals import number
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import Interval, t_interval

if TYPE_CHECKING:
    from reprise.claims import Verdict
    from reprise.in_domain.settings import Settings

EXTRAPOLATION = {"dataset": MAIN_DATA_SET, "experiment": "comparison", "split": "extrapolation"}
SPARED = 0.1  # of R²: what a factor may lose and still count as read
NO_CNN = "The CNN of this run has not converged; there is nothing to say about its loss."


def _words(interval: Interval, decimals: int = 2) -> str:
    ends = f" [{number(interval.low, decimals)}, {number(interval.high, decimals)}]" if interval.n > 1 else ""
    return f"{number(interval.estimate, decimals)}{ends}"


def two_parts_of_the_loss(rows: pd.DataFrame) -> str:
    """Say how the CNN's loss in extrapolation divides into what the oracle loses, too, and the rest."""
    try:
        random, extrapolation = (converged_scores(rows, "CNN", kind) for kind in ("random", "extrapolation"))
    except MissingRowsError:
        return NO_CNN
    loss, clamp = t_interval(random - extrapolation), clamp_score(MAIN_DATA_SET, "extrapolation")
    beyond = t_interval(clamp - extrapolation)
    return (
        f"On the re-rendered sprites the CNN loses {_words(loss)} of R² between the random split and extrapolation "
        f"({_seeds(loss)}). The clamp oracle loses {number(1 - clamp, 2)}, for it cannot say what it never saw; the "
        f"CNN lies another {_words(beyond)} below the oracle."
    )


def _seeds(interval: Interval) -> str:
    return "one seed" if interval.n == 1 else f"95 % interval over {interval.n} seeds"


def who_converged(rows: pd.DataFrame) -> str:
    """Say how many of the models that were trained on the sprites have converged, and which have not."""
    try:
        converged, others = convergence(rows)
    except MissingRowsError:
        return f"No model of this run reaches R² {number(CONVERGED)} on the random split."
    failed = f" {_underfitted(rows, others)}" if others else ""
    return (
        f"Models trained on the sprites that reach R² {number(CONVERGED)} on the random split, in some training at "
        f"least: {len(converged)} of {len(converged) + len(others)} ({_listed(converged)}).{failed}{_elsewhere(rows)}"
    )


def _elsewhere(rows: pd.DataFrame) -> str:
    """Say which trainings on other data sets have not converged, and why they may not have."""
    words = []
    for dataset in [name for name in TITLES if name != MAIN_DATA_SET and name in set(rows["dataset"])]:
        for method in methods_of(rows, dataset):
            sound, n = converged_seeds(rows, dataset, method)
            if sound < n:
                scores = per_seed(rows, **conditions(dataset, method, "random"), **MEAN_SCORE)
                failed = scores[scores < CONVERGED]
                ends = " to ".join(dict.fromkeys(number(float(v), 2) for v in (failed.min(), failed.max())))
                words.append(f"on {dataset.capitalize()} {n - sound} of {n} of {method} (R² {ends})")
    if not words:
        return ""
    return (
        f" Nor have other trainings: {'; '.join(words)}. Learning rates were searched on the sprites. The means of the "
        "table hold these trainings, too."
    )


def _underfitted(rows: pd.DataFrame, methods: list[str]) -> str:
    """Say which models have not converged, how far they came, and whether more data could help them."""
    where = {"dataset": MAIN_DATA_SET, "experiment": "comparison", "split": "random", "factor": "mean", "metric": "r2"}
    test, train = (
        {m: _mean_of(rows, {**where, "method": m, "subset": part}) for m in methods} for part in ("test", "train")
    )
    order = sorted(methods, key=test.__getitem__, reverse=True)
    lacking = {
        name: float(
            np.mean([_mean_of(rows, {**where, "factor": name, "subset": "test", "method": m}) for m in methods])
        )
        for name in GRIDS[MAIN_DATA_SET].names
    }
    least = min(lacking, key=lacking.__getitem__)
    gap = max(train[m] - test[m] for m in methods)
    return (
        f"Not converged: {', '.join(f'{m} {number(test[m], 2)}' for m in order)}; they are shown faintly and judged by "
        f"no rule. What they lack most is {least} (R² {number(lacking[least], 2)} on average). On training images they "
        f"are at most {number(gap, 3)} better, so that it is not more data that they need; more steps than ours may "
        "help. This run says nothing about these kinds of models (C1, C6)."
    )


def _listed(names: Sequence[str]) -> str:
    """Join names of models; some hold a comma."""
    return ("; " if any("," in name for name in names) else ", ").join(names)


def _mean_of(rows: pd.DataFrame, where: dict[str, str]) -> float:
    return float(per_seed(rows, **where).mean())


def which_factor_breaks(rows: pd.DataFrame, method: str = "CNN") -> str:
    """Say which factor a model loses most where another one is out of distribution, and how many stay."""
    try:
        names, cut = GRIDS[MAIN_DATA_SET].names, GRIDS[MAIN_DATA_SET].cut_factors
        loss = {
            (out, factor): float(
                (
                    converged_scores(rows, method, "random", factor=factor)
                    - converged_scores(rows, method, "extrapolation", subset=f"only {out}", factor=factor)
                ).mean()
            )
            for out in cut
            for factor in names
            if factor != out
        }
    except MissingRowsError:
        return f"The {method} was not trained in this run, or has not converged."
    (out, factor), worst = max(loss.items(), key=lambda item: item[1])
    spared = sum(value < SPARED for value in loss.values())
    return (
        f"Of {len(loss)} pairs of a factor that is out and another one that is read, the {method} loses less than "
        f"{SPARED} of R² in {spared}; the worst pair is {factor} where {out} is out, {number(worst, 2)} lower than on "
        "the random split."
    )


def what_composition_asks(rows: pd.DataFrame) -> str:
    """Say which factors the CNN reads worst on the composition split, and what that split's rule lets a model learn."""
    names = GRIDS[MAIN_DATA_SET].names
    try:
        found = {name: float(converged_scores(rows, "CNN", "composition", factor=name).mean()) for name in names}
    except MissingRowsError:
        return "The composition and interpolation splits are part of the `standard` profile."
    order = sorted(found, key=found.__getitem__)
    scores = ", ".join(f"{name} {number(found[name], 2)}" for name in order)
    outside, alike = unturned_share()
    return (
        f"On the composition split the CNN's R² by factor is: {scores}. Every value is seen there, but not everywhere: "
        f"of the training images {outside:.0f} % lie outside the corners of x and y, and {alike:.0f} % of these "
        "show the first orientation. A model may learn that sprites in the middle are not turned; on test images all "
        "are. So this split tests orientation beyond what was seen there. That follows from its rule on ten "
        "orientations (corners in the table of splits); with forty the corner is wider (table below), and the "
        "paper may have run those."
    )


def is_composition_as_hard_elsewhere(rows: pd.DataFrame) -> str:
    """Say what the CNN's composition costs with all orientations, and on Rooms."""
    words = []
    for dataset, names in (
        (ALL_ORIENTATIONS, [name for name in GRIDS[ALL_ORIENTATIONS].names if name != "orientation"]),
        ("rooms", list(GRIDS["rooms"].names)),
    ):
        try:
            random, composed = (_mean_over_seeds(rows, dataset, kind, names) for kind in ("random", "composition"))
        except MissingRowsError:
            continue
        where = "on Rooms" if dataset == "rooms" else "on sprites with all forty orientations, these left out,"
        words.append(f"{where} {number(composed, 2)} instead of {number(random, 2)} on the random split")
    if not words:
        return "Composition on other grids is part of the `standard` profile."
    return f"Is composition as hard elsewhere? The CNN's R², mean over factors: {'; '.join(words)}."


def _mean_over_seeds(rows: pd.DataFrame, dataset: str, kind: str, factors: list[str]) -> float:
    where = conditions(dataset, "CNN", kind)
    common = {**where, "subset": "test", "metric": "r2"}
    return float(np.mean([_mean_of(rows, {**common, "factor": name}) for name in factors]))


def what_the_search_found() -> str:
    """Say for how many models the best rate is an end of those tried, and how far apart their scores are."""
    found = read_trials()
    best = best_rates(found)
    tried = found.groupby("model")["learning_rate"].agg(["min", "max"])
    ends = [name for name, rate in best.items() if rate in tried.loc[name].tolist()]
    steps = found["steps"].iloc[0]
    highest = found.groupby("model")["validation_r2"].max()
    return (
        f"Trials of {steps} steps; the best rate is the smallest or the largest tried for {len(ends)} of {len(best)} "
        f"models{': ' + _listed(ends) if ends else ''}. At its best rate a model reaches "
        f"{number(float(highest.min()), 2)} ({highest.idxmin()}) to {number(float(highest.max()), 2)} "
        f"({highest.idxmax()}) in a trial: those that are still far from {number(CONVERGED)} were judged on how they "
        "start, not on where they end."
    )


def what_gates_the_blogs_case(rows: pd.DataFrame) -> str:
    """Say by which training the rule of C8 leaves models out, and what the case's own control scores."""
    try:
        control = select(rows, experiment="blog", metric="shape_accuracy", subset="control")
        kept = of_converged(control, converged_runs(rows))
    except MissingRowsError:
        return "No model of the blog's case has converged on the random split."
    least = kept.groupby("method")["value"].min()
    lowest = ", ".join(f"{name} {value:.0f} %" for name, value in least.items())
    left_out = len(control) - len(kept)
    return (
        "On C8: its rule leaves a training out if another one, of the same model and seed on the comparison's random "
        f"split, has not converged ({left_out} of {len(control)} here). The blog's own control reads at least: "
        f"{lowest}."
    )


def what_the_first_claim_rests_on(rows: pd.DataFrame) -> str:
    """Say what C1's interval is over."""
    try:
        converged, others = convergence(rows)
    except MissingRowsError:
        return NO_CNN
    return (
        f"On C1: its interval is over the {len(converged)} models that converged, of {len(converged) + len(others)} "
        "trained; they are the models at hand and no sample of models."
    )


def what_forty_orientations_leave(rows: pd.DataFrame) -> str:
    """Say what the CNN reads on the random split of the grid with all orientations, and what follows for dSprites."""
    said = (
        "With all forty orientations a square looks almost the same after a quarter turn, an ellipse after half a turn"
    )
    ending = (
        "The oracle is out of reach there, with nothing held out, and the dSprites rows hold this, too, if they are of "
        "that grid. The other rows do not."
    )
    try:
        orientation, mean = (
            _mean_over_seeds(rows, ALL_ORIENTATIONS, "random", names)
            for names in (["orientation"], list(GRIDS[ALL_ORIENTATIONS].names))
        )
    except MissingRowsError:
        return f"{said}. {ending}"
    return (
        f"{said}: on the random split our CNN reads orientation with R² {number(orientation, 2)}, and reaches "
        f"{number(mean, 2)} over all factors. {ending}"
    )


def unturned_share() -> tuple[float, float]:
    """Return how many % of composition's training images lie outside the corners of x and y, and are unturned there."""
    grid = GRIDS[MAIN_DATA_SET]
    split = make_split(grid, "composition")
    values = grid.factors(split.train_index)
    outside = np.logical_and.reduce([values[:, grid.position(name)] >= split.corners[name] for name in ("x", "y")])
    unturned = values[outside, grid.position("orientation")] == 0
    return 100 * float(outside.mean()), 100 * float(unturned.mean())


def what_keeps_the_order_open(rows: pd.DataFrame) -> str:
    """Say in how many trainings composition is harder than extrapolation, and by how little interpolation is."""
    methods = ("CNN", "MLP")
    try:
        scores = {
            kind: pd.concat([converged_scores(rows, m, kind) for m in methods], keys=methods)
            for kind in ("random", "composition", "interpolation", "extrapolation")
        }
    except MissingRowsError:
        return "C2 needs CNN and MLP on all four splits, which are part of the `standard` profile."
    below, closest = scores["extrapolation"] - scores["composition"], scores["random"] - scores["interpolation"]
    return (
        f"On C2: composition is harder than extrapolation in {int((below > 0).sum())} of {len(below)} trainings, by "
        f"{number(float(below.mean()), 2)} of R² on average. R² on the random split minus interpolation goes from "
        f"{number(float(closest.min()), 4)} to {number(float(closest.max()), 2)} and is above zero in "
        f"{int((closest > 0).sum())} of {len(closest)}."
    )


def what_keeps_the_pull_open(rows: pd.DataFrame) -> str:
    """Say how many models and factors are pulled inwards, and that the interval of C5 is over factors."""
    try:
        kept = of_converged(select(rows, **EXTRAPOLATION, metric="rho_median"), converged_runs(rows))
    except MissingRowsError:
        return NO_CNN
    cells = kept.groupby(["method", "factor"])["value"].mean()
    factors = cells.groupby("factor").mean().sort_values()
    return (
        f"On C5: the median prediction is pulled inwards for {int((cells < 1).sum())} of {len(cells)} converged models "
        "and factors. The rule's interval is over factors, which differ "
        f"({', '.join(f'{k} {number(v, 2)}' for k, v in factors.items())}): the stronger the pull of one of them, the "
        "wider it is. Its control is weak: augmentation also shows the labels that are held out, so that nothing is "
        "out of distribution for it any more."
    )


def what_controls_say(verdicts: Sequence[Verdict]) -> str:
    """Say which controls do not hold, and of what claims they weaken the verdicts."""
    run = [(verdict, control) for verdict in verdicts for control in verdict.controls if control.holds is not None]
    failed = [
        f"{verdict.claim_id} ({control.name}: {control.evidence})" for verdict, control in run if not control.holds
    ]
    if failed:
        return (
            f"Controls that fail, of {len(run)} that this run has rows for: {'; '.join(failed)}. The rule of such a "
            "claim answers to something else than the effect, too; its verdict is worth less."
        )
    return f"No control fails, of {len(run)} that this run has rows for."


def scale_of_this_run(settings: Settings) -> str:
    """Say by how much this run is smaller than the paper's, and which models are trained longer than the others."""
    pixels = f"{settings.image_side} pixels a side instead of 64"
    if settings.image_side == 64:
        pixels = "64 pixels a side, as in the paper"
    return (
        f"This run: {pixels}; {settings.n_steps} training steps of {settings.batch_size} images (the paper: about "
        f"500 000 of 64){_longer_trainings(settings)}; at most {settings.n_train_images} training images of a split; "
        f"{settings.n_test_images} test images of a split are scored, the same for all models."
    )


def _longer_trainings(settings: Settings) -> str:
    """Say which of the run's models get more steps than the others, and how many times as many."""
    models = {*settings.models, *settings.slower_models, *settings.other_models}
    by_factor: dict[float, list[str]] = {}
    for name in APPROACHES:
        if name in models and APPROACHES[name].slowness != 1:
            by_factor.setdefault(APPROACHES[name].slowness, []).append(name)
    return "".join(f", {factor:g} times as many for {', '.join(names)}" for factor, names in sorted(by_factor.items()))
