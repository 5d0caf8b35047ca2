"""The parameters of the chapter on Trans-Encoder."""

from typing import ClassVar, Literal

from pydantic import Field

from reprise.settings import ChapterSettings, Twins

Variant = Literal[
    "bi to bi",
    "SimCSE",
    "shuffled labels",
    "chained",
    "losses",
    "raw labels",
    "small pool",
    "double pool",
    "disjoint pool",
    "other pool",
    "fewer layers",
    "all layers",
    "gold labels",
    "mutual",
    "second start",
]
SEVEN_SETS = ("sts-2012", "sts-2013", "sts-2014", "sts-2015", "sts-2016", "sts-benchmark", "sick")


class Settings(ChapterSettings):
    """What the study depends on; the defaults are the quick profile."""

    paper: ClassVar[str] = "trans-encoder"
    summary_columns: ClassVar[tuple[str, ...]] = ("part", "backbone", "variant", "cycle", "group", "at")
    embedded_twins: ClassVar[Twins] = {"templated-pairs": SEVEN_SETS}

    datasets: tuple[str, ...] = Field(
        ("templated-pairs",), min_length=1, description="data sets to test on; the paper: seven STS sets and MRPC"
    )
    seeds: tuple[int, ...] = Field((0,), min_length=1, description="seeds of pool, batches and heads; the paper: one")
    start: str = Field("minilm", description="source of the first bi-encoder; the paper: SimCSE's checkpoints")
    plm: str = Field("minilm", description="source of the cross-encoder; the paper: bert-base-uncased and others")
    num_layers: int | None = Field(5, ge=1, description="lowest layers kept of both, or null for all; the paper: all")
    pooling: Literal["cls", "mean"] = Field("mean", description="how the bi-encoder pools; the paper: cls")
    second_start: str = Field("", description="start of a second backbone, for mutual; empty: SimCSE's student")
    second_plm: str = Field("", description="language model of the second backbone; the paper: roberta-base and others")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="of products; the paper: half precision")
    pool_pairs: int | None = Field(640, ge=64, description="unlabelled pairs, or null for all; the paper: 37,081")
    max_words: int | None = Field(12, ge=1, description="longest sentence of the pool, in words; the paper: any")
    mrpc_max_words: int | None = Field(22, ge=1, description="the same for MRPC, whose sentences are long")
    mrpc_pool_pairs: int | None = Field(400, ge=64, description="the same for MRPC; the paper: 5,801")
    test_pairs: int | None = Field(300, ge=20, description="test pairs of each set, or null for all; the paper: all")
    dev_pairs: int | None = Field(100, ge=20, description="development pairs, or null for all; the paper: all 1,500")
    cycles: int = Field(1, ge=1, description="rounds bi → cross → bi; the paper: 3")
    mrpc_cycles: int | None = Field(None, ge=1, description="rounds on MRPC, or null: as many")
    mutual_cycles: int | None = Field(None, ge=1, description="rounds of mutual distillation, or null: as many")
    cross_lr: float = Field(1e-4, gt=0, description="learning rate of cross-encoders; the paper: 2e-5")
    head_rate: float = Field(1.0, gt=0, description="rate of cross-encoders' heads over cross_lr; the paper: 1")
    cross_epochs: int = Field(1, ge=1, description="passes of cross-encoders over both orders; the paper: 1")
    symmetric: bool = Field(True, description="whether cross-encoders see both orders of a pair; the paper: true")
    cross_batch: int = Field(16, ge=1, description="pairs a step of cross-encoders; the paper: 32")
    bi_lr: float = Field(2e-4, gt=0, description="learning rate of bi-encoders; the paper: 5e-5")
    bi_epochs: int = Field(1, ge=1, description="passes of bi-encoders; the paper: 10")
    bi_batch: int = Field(16, ge=1, description="pairs a step of bi-encoders; the paper: 128")
    simcse_lr: float = Field(3e-5, gt=0, description="learning rate of SimCSE, batches of 64 sentences; SimCSE: 3e-5")
    label_stretch: bool = Field(True, description="whether cosines are stretched to [0, 1]; the paper: false")
    freeze_embeddings: bool = Field(True, description="whether word embeddings stay as they are; the paper: false")
    frozen_layers: int = Field(1, ge=0, description="lowest layers that stay, with all embeddings; the paper: 0")
    evaluate_every: int = Field(200, ge=1, description="steps between looks at the development pairs; the paper: 200")
    variants: tuple[Variant, ...] = Field((), description="what is trained beside self-distillation")
    variant_seeds: dict[Variant | Literal["mrpc"], tuple[int, ...]] = Field(
        {},
        description="seeds that run a costly variant, which MRPC then leaves out, or MRPC itself; others: every seed",
    )
    bootstrap_draws: int = Field(200, ge=50, description="resamplings of the test pairs behind each standard error")

    def is_run(self, family: str, seed: int, variant: str | None = None) -> bool:
        """Tell whether a family of data sets, or one of its variants, is run with a seed."""
        if variant is None:
            return seed in self.variant_seeds.get(family, (seed,))  # type: ignore[call-overload, no-any-return]
        if variant not in self.variant_seeds:
            return True
        return family != "mrpc" and seed in self.variant_seeds[variant]  # type: ignore[index]

    @property
    def reduced_scale(self) -> bool:
        """Whether layers, pool, cycles, passes or tests are fewer than the paper's."""
        cut = self.num_layers is not None or self.pool_pairs is not None or self.test_pairs is not None
        return cut or self.cycles < 3 or self.bi_epochs < 10 or self.max_words is not None
