"""How methods, variants and data sets are called in rows, rules, tables and figures; nothing heavy is imported here."""

from __future__ import annotations

from reprise.trans_encoder.settings import SEVEN_SETS as SEVEN_SETS

START, SELF_CROSS, SELF_BI = "Start", "Self, cross", "Self, bi"
MUTUAL_CROSS, MUTUAL_BI = "Mutual, cross", "Mutual, bi"
BI_TO_BI, SIMCSE, SUPERVISED = "Bi to bi", "SimCSE, continued", "Supervised, cross"
SHARED_WORDS, TFIDF, WORD_EMBEDDINGS = "Shared words", "TF-IDF cosine", "Word embeddings"
SECOND_START, MEAN_OF_STARTS = "Second start", "Mean of both starts"
MUTUAL_SECOND = {MUTUAL_CROSS: "Mutual, cross, second", MUTUAL_BI: "Mutual, bi, second"}
MUTUAL_BOTH = {MUTUAL_CROSS: "Mutual, cross, mean of both", MUTUAL_BI: "Mutual, bi, mean of both"}
BASE = "as in the paper"
SHUFFLED, CHAINED, ALL_LAYERS = "labels shuffled", "chained", "all layers"
RAW_LABELS = "labels not stretched"
FROM_SECOND = "from the second start"
SMALL_POOL, DOUBLE_POOL = "a quarter of the pool", "twice the pool"
DISJOINT_POOL, OTHER_POOL = "pool without test pairs", "pool of another task"
OTHER_POOLS = (SMALL_POOL, DOUBLE_POOL, DISJOINT_POOL, OTHER_POOL)
EMBEDDED, HOME, SICK, MRPC = "templated-pairs", "sts-benchmark", "sick", "mrpc"
FORMS = (SELF_CROSS, SELF_BI)
SHORT_NAMES = {
    "templated-pairs": "templated pairs",
    "sts-2012": "STS12",
    "sts-2013": "STS13",
    "sts-2014": "STS14",
    "sts-2015": "STS15",
    "sts-2016": "STS16",
    "sts-benchmark": "STS-B",
    "sick": "SICK-R",
    "mrpc": "MRPC",
}


def method_of(form: str, kind: str = "Self") -> str:
    """Return how a form is called in rows: ``Self, cross``."""
    return f"{kind}, {form}"


def depth_name(n_layers: int) -> str:
    """Return how a start of fewer layers is called in rows."""
    return f"layers: {n_layers}"


def losses_name(cross_loss: str, bi_loss: str) -> str:
    """Return how a pair of losses is called in rows."""
    return f"losses {cross_loss}, {bi_loss}"


OTHER_LOSSES = (losses_name("bce", "bce"), losses_name("mse", "mse"), losses_name("mse", "bce"))
