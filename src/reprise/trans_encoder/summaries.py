"""Tables: levels beside the paper's, what is in the data, selections, pairs in and out of the pool, and costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from reprise.numerals import MISSING, difference, number, with_interval
from reprise.plots import measured, printed
from reprise.rows import MissingRowsError
from reprise.stats import paired_differences, t_interval
from reprise.trans_encoder.changes import change_from_start
from reprise.trans_encoder.comparisons import chosen_cycles, cycles_of
from reprise.trans_encoder.lookups import (
    AVERAGE,
    home_of,
    levels,
    name_of_average,
    papers_gain,
    seeds_in_words,
    sets_of,
    title_of,
)
from reprise.trans_encoder.names import (
    BASE,
    BI_TO_BI,
    FORMS,
    MEAN_OF_STARTS,
    MRPC,
    MUTUAL_BI,
    MUTUAL_BOTH,
    MUTUAL_CROSS,
    MUTUAL_SECOND,
    SECOND_START,
    SEVEN_SETS,
    SHARED_WORDS,
    SHORT_NAMES,
    SICK,
    SIMCSE,
    START,
    SUPERVISED,
    TFIDF,
    WORD_EMBEDDINGS,
)  # fmt: skip
from reprise.trans_encoder.tuning import found_rates

if TYPE_CHECKING:
    from collections.abc import Sequence

LINES = (
    (SHARED_WORDS, 0), (TFIDF, 0), (WORD_EMBEDDINGS, 0), (START, 0), (SIMCSE, 0), (BI_TO_BI, 0),
    *((method, cycle) for cycle in (1, 2, 3) for method in FORMS),
    (SECOND_START, 0), (MEAN_OF_STARTS, 0),
    *((method, cycle) for cycle in (1, 2, 3) for method in (MUTUAL_CROSS, MUTUAL_BI)),
    *((method, cycle) for cycle in (1, 2, 3) for method in MUTUAL_SECOND.values()),
    *((method, cycle) for cycle in (1, 2, 3) for method in MUTUAL_BOTH.values()),
    (SUPERVISED, 0),
)  # fmt: skip
PAPERS_BACKBONES = ("BERT-base", "RoBERTa-base", "BERT-large", "RoBERTa-large")
FROM_MEMORY, READ = "from memory", "†"  # in a printed value's source; the mark of those that have another
SELECTIONS = {"development": "validation", "development without test pairs": "validation, leak-free"}


def _written(values: pd.Series | None) -> str:
    if values is None:
        return MISSING
    found = t_interval(values)
    if math.isclose(found.low, found.high):  # what no seed changes has no interval over seeds
        return number(found.estimate, 1)
    return with_interval(found.estimate, found.low, found.high, 1)


def data_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return what is tested on: pairs with gold, those of the run, and sentences that are cut."""
    lines = []
    for name in data_sets:
        how = {"dataset": name, "method": "data"}
        whole, own = (
            measured(rows, metric="test pairs with gold", **how),
            measured(rows, metric="pairs", split="test", part="data", **how),
        )
        cut = measured(rows, metric="cut sentences (%)", split="test", **how)
        if whole is not None and own is not None and cut is not None:
            lines.append(
                {
                    "data set": SHORT_NAMES[name],
                    "test pairs with gold": number(float(whole.mean()), 0),
                    "of these tested": number(float(own.mean()), 0),
                    "sentences longer than 32 word pieces (%)": number(float(cut.mean()), 1),
                }
            )
    return pd.DataFrame(lines)


def levels_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return Spearman × 100 of all methods by set, ± half-width of the interval over seeds where they change it."""
    sets = sets_of(rows)
    lines = []
    for method, cycle in LINES:
        average = levels(rows, method, cycle=cycle)
        if average is None:
            continue
        line: dict[str, Any] = {"method": title_of(method, cycle), "seeds": seeds_in_words(average)}
        line |= {SHORT_NAMES[name]: _written(levels(rows, method, cycle=cycle, sets=[name])) for name in sets}
        if len(sets) > 1:
            line[name_of_average(sets)] = _written(average)
        lines.append(line)
    return pd.DataFrame(lines)


def papers_table(published: pd.DataFrame) -> pd.DataFrame:
    """Return the paper's levels on the seven sets and their average; those not from memory alone are marked."""
    lines, read = [], published[~published["source"].str.contains(FROM_MEMORY)]
    for backbone in PAPERS_BACKBONES:
        for method in (START, "Mirror-BERT", *FORMS, MUTUAL_CROSS, MUTUAL_BI):
            how = {"method": method, "backbone": backbone, "metric": "spearman"}
            values = {name: printed(published, dataset=name, **how) for name in (*SEVEN_SETS, AVERAGE)}
            if any(value is not None for value in values.values()):
                marked = {name for name in values if printed(read, dataset=name, **how) is not None}
                written = {
                    SHORT_NAMES.get(n, n): MISSING if v is None else number(v, 2) + READ * (n in marked)
                    for n, v in values.items()
                }
                lines.append({"backbone": backbone, "method": method, **written})
    return pd.DataFrame(lines)


def gains_table(rows: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return the gain over the start on average and on SICK-R: the paper's, with two backbones, and ours by cycle.

    The paper's are of the best of three cycles; they stand in the line of our last one.
    """
    sets, lines = sets_of(rows), []
    places = {name_of_average(sets): sets} | ({SHORT_NAMES[SICK]: [SICK]} if SICK in sets and len(sets) > 1 else {})
    for method in (*FORMS, MUTUAL_CROSS, MUTUAL_BI):
        cycles = [cycle for cycle in (1, 2, 3) if levels(rows, method, cycle=cycle) is not None]
        for cycle in cycles:
            line: dict[str, Any] = {"method": title_of(method, cycle)}
            for title, chosen in places.items():
                change = change_from_start(rows, method, cycle=cycle, sets=chosen)
                line[f"{title}: ours"] = MISSING if change is None else difference(change.over_seeds)
                if SICK not in chosen:
                    continue
                printed_name = SICK if len(chosen) == 1 else AVERAGE
                for backbone in PAPERS_BACKBONES[:2]:
                    paper = papers_gain(published, method, printed_name, backbone) if cycle == cycles[-1] else None
                    line[f"{title}: paper, {backbone}"] = MISSING if paper is None else number(paper, 2, signed=True)
            lines.append(line)
    return pd.DataFrame(lines)


def binary_table(rows: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return the area under the curve on MRPC: ours by cycle, and the paper's with BERT-base, best of three cycles.

    The paper's stands in the line of our last cycle.
    """
    how = {"dataset": MRPC, "part": "levels", "metric": "auc", "split": "test", "variant": BASE}
    found = {line: measured(rows, method=line[0], cycle=line[1], **how) for line in LINES}
    there = {line: values for line, values in found.items() if values is not None}
    last = {method: cycle for method, cycle in there}
    lines = []
    for (method, cycle), own in there.items():
        paper = printed(published, dataset=MRPC, metric="auc", method=method, backbone="BERT-base")
        lines.append(
            {
                "method": title_of(method, cycle),
                "seeds": seeds_in_words(own),
                "ours": _written(own),
                "paper (BERT-base)": MISSING if paper is None or cycle != last[method] else number(paper, 2),
            }
        )
    if not lines:
        raise MissingRowsError("this run has no binary task.")
    return pd.DataFrame(lines)


def tried_table() -> pd.DataFrame:
    """Return what was tried before the run, of each method and rate: steps, development score, best of its method."""
    tried = found_rates()
    start = float(tried.loc[tried["method"] == START, "score"].iloc[0])
    best = tried.groupby("method")["score"].transform("max")
    lines = []
    for entry, highest in zip(tried.itertuples(), best, strict=True):
        lines.append(
            {
                "method": title_of(entry.method),
                "rate": MISSING if pd.isna(entry.rate) else f"{entry.rate:.0e}".replace("e-0", "e−"),
                "steps": MISSING if pd.isna(entry.steps) else str(entry.steps),
                "development": number(float(entry.score), 1),
                "minus start": number(float(entry.score) - start, 2, signed=True),
                "chosen": "yes" if entry.method != START and entry.score == highest else "",
            }
        )
    return pd.DataFrame(lines)


def pool_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the gain over the start on test pairs that are in the pool and on those that are held out."""
    lines = []
    for method in FORMS:
        for cycle in cycles_of(rows, method):
            line: dict[str, Any] = {"method": title_of(method, cycle)}
            gains = {}
            for split in ("test, in the pool", "test, held out"):
                after, before = (levels(rows, m, cycle=c, split=split) for m, c in ((method, cycle), (START, 0)))
                if after is not None and before is not None:
                    gains[split] = after - before
                    line[split.removeprefix("test, ")] = difference(t_interval(gains[split]))
            if len(gains) == 2:
                line["difference"] = difference(t_interval(paired_differences(*gains.values())))
                lines.append(line)
    if not lines:
        raise MissingRowsError("this run has no held-out pairs.")
    return pd.DataFrame(lines)


def selection_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what each way of choosing the cycle costs against the best cycle on the test, means over seeds."""
    home, lines = home_of(rows), []
    for method in FORMS:
        cycles = cycles_of(rows, method)
        by_cycle = {cycle: levels(rows, method, cycle=cycle) for cycle in cycles}
        test = pd.concat({c: v for c, v in by_cycle.items() if v is not None}, axis=1)
        choices = {"last cycle": pd.Series(cycles[-1], index=test.index)}
        for name, split in SELECTIONS.items():
            try:
                choices[name] = chosen_cycles(rows, method, split=split, home=home)
            except MissingRowsError:
                continue
        agreement = _by_cycle(
            rows, cycles, part="training", metric="rank correlation with the teacher", method=method, dataset=home
        )
        if not agreement.empty:
            choices["agreement with the teacher (no labels)"] = agreement.idxmax(axis=1)
        swapped = _by_cycle(
            rows, cycles, part="selection", metric="difference of both orders", method=method, dataset=home
        )
        if not swapped.empty:
            choices["agreement of both orders (no labels)"] = swapped.idxmin(axis=1)
        for name, chosen in choices.items():
            value = pd.Series({seed: test.loc[seed, cycle] for seed, cycle in chosen.items()})
            lines.append(
                {
                    "form": method,
                    "chosen by": name,
                    "cycles chosen (seeds)": _counted(chosen),
                    "level": number(float(value.mean()), 1),
                    "below the best": _shortfall(test.max(axis=1) - value),
                }
            )
    return pd.DataFrame(lines)


def _shortfall(values: pd.Series) -> str:
    found = t_interval(values)
    if found.n == 1 or found.half_width == 0:
        return number(found.estimate, 1)
    return f"{number(found.estimate, 1)} [{number(found.low, 1)}, {number(found.high, 1)}]"


def _counted(chosen: pd.Series) -> str:
    return ", ".join(f"{cycle} ({n})" for cycle, n in chosen.value_counts().sort_index().items())


def _by_cycle(rows: pd.DataFrame, cycles: Sequence[int], **how: Any) -> pd.DataFrame:
    found = {cycle: measured(rows, cycle=cycle, **how) for cycle in cycles}
    there = {cycle: values for cycle, values in found.items() if values is not None}
    return pd.concat(there, axis=1) if there else pd.DataFrame()


def cost_table(n_layers: int, width: int, sentence_length: int = 14) -> pd.DataFrame:
    """Return multiplications to compare all pairs of n sentences in both forms (see `multiplications`)."""
    lines = []
    for n in (1_000, 100_000):
        bi, cross = (multiplications(form, n, n_layers, width, sentence_length) for form in ("bi", "cross"))
        lines.append(
            {
                "sentences": f"{n:,}",
                "bi-encoder (multiplications)": f"{bi:.1e}",
                "cross-encoder": f"{cross:.1e}",
                "ratio": f"{cross / bi:,.0f}",
            }
        )
    return pd.DataFrame(lines)


def multiplications(form: str, n: int, n_layers: int, width: int, sentence_length: int = 14) -> float:
    """Return how many multiplications comparing all pairs of n sentences takes, by the transformer's sizes alone.

    A layer takes 12 d² weights a word piece and 2 L d for attention over L pieces; a cosine takes d. A bi-encoder
    encodes each sentence once, a cross-encoder each pair.
    """
    pairs = n * (n - 1) / 2
    if form == "bi":
        return n * _one_pass(n_layers, width, sentence_length) + pairs * width
    return pairs * _one_pass(n_layers, width, 2 * sentence_length - 1)


def _one_pass(n_layers: int, width: int, length: int) -> float:
    return n_layers * length * (12 * width**2 + 2 * length * width)
