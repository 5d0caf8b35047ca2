"""The parameters of the chapter on PSA-GAN."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from reprise.psa_gan.names import GLUONTS_SETS, MODELS, PARTS, VARIANTS
from reprise.settings import ChapterSettings, Twins

PAPERS_STEPS = 100_000


class Settings(ChapterSettings):
    """What the study depends on; the defaults are the quick profile."""

    paper: ClassVar[str] = "psa-gan"
    summary_columns: ClassVar[tuple[str, ...]] = ("part", "window", "at")
    embedded_twins: ClassVar[Twins] = {"daily-panel": "m4-hourly"}

    datasets: tuple[str, ...] = Field(
        ("daily-panel",), min_length=1, description="panels; the paper: Electricity, M4, Solar, Traffic"
    )
    gluonts_datasets: tuple[str, ...] = Field(
        (), description="further panels, downloaded through GluonTS: electricity_nips, traffic_nips, solar_nips"
    )
    seeds: tuple[int, ...] = Field((0,), min_length=1, description="seeds of networks, encoder and forecaster")
    windows: tuple[int, ...] = Field(
        (32,), min_length=1, description="τ of the main comparison; the paper: 64, 128, 256"
    )
    models: tuple[str, ...] = Field(("PSA-GAN",), description="models of the main comparison; the paper: all four")
    steps: int = Field(200, ge=10, description="generator steps of the main comparison; the paper: some 119,000")
    ablation_window: int = Field(32, ge=8, description="τ of the variants; the paper: 16 to 256")
    variants: tuple[str, ...] = Field(
        ("no attention", "no condition"), description="variants of PSA-GAN trained; the paper: seven removals"
    )
    ablation_steps: int = Field(200, ge=10, description="generator steps of each variant; the paper: some 119,000")
    channels: int = Field(16, ge=1, description="feature maps; the paper: 32")
    context: int = Field(16, ge=1, description="values before a window that PSA-GAN-C sees; the paper: 16 or 64")
    batch_size: int = Field(32, ge=2, description="windows of a batch; the paper: 128 to 512")
    lr: float = Field(2e-3, gt=0, description="learning rate of Adam, PSA-GAN and its variants; the paper: 5e-5")
    ebgan_lr: float = Field(2e-3, gt=0, description="learning rate of Adam, EBGAN; ours, from the same grid")
    timegan_lr: float = Field(2e-3, gt=0, description="learning rate of Adam, TimeGAN; ours, from the same grid")
    timegan_steps: int = Field(
        60, ge=1, description="joint steps of TimeGAN, twice as many in each phase before; its paper: 50,000 each"
    )
    n_critic: int = Field(2, ge=1, description="discriminator steps a generator step; the paper: 2")
    warmup_steps: int = Field(0, ge=0, description="first generator steps with 50 discriminator steps; the paper: 25")
    fade: float = Field(0.4, ge=0, le=1, description="share of a stage that it is faded in; the paper: 1")
    early_share: float | None = Field(
        None, gt=0, lt=1, description="share of each stage but the last, or null: 40 % to the last; the paper: 1/7"
    )
    encoder: Literal["quick", "small", "paper"] = Field("quick", description="size of Context-FID's encoder")
    encoder_steps: int | None = Field(
        100, ge=1, description="training steps of the encoder, or null for the paper's 600 epochs"
    )
    fid_draws: int = Field(2, ge=2, description="draws of 512 windows behind a score; the paper: 10")
    curve_points: int = Field(5, ge=2, description="early generators that are scored, of each model")
    controls: bool = Field(True, description="whether windows without a model are scored, too")
    forecast_series: int = Field(0, ge=0, description="series that DeepAR forecasts, 0 for none; the paper: all")
    deepar_epochs: int = Field(10, ge=1, description="epochs of 50 batches of DeepAR; GluonTS: 100")
    forecast_samples: int = Field(50, ge=2, description="sample paths behind a forecast; GluonTS: 100")
    fillings: int = Field(3, ge=1, description="fillings of a gap, whose forecasts are averaged; ours: 10")
    ranked_generators: int = Field(0, ge=0, description="generators a model in the ranking of C6, 0 for none")

    gap_lengths: tuple[int, ...] = Field((), description="steps of missing stretches; the paper: 50 and 110")
    cold_shares: tuple[float, ...] = Field((), description="shares of series that are cold; the paper: 0.1, 0.2, 0.3")
    gap_epochs: int = Field(5, ge=1, description="epochs of DeepAR after gaps and cold starts; GluonTS: 100")
    further_encoders: int = Field(0, ge=0, description="further encoders of a seed, for the interval over encoders")
    side_datasets: tuple[str, ...] = Field(
        (), description="panels with a small comparison: no variants, ranking, gaps; steps as for variants"
    )
    side_models: tuple[str, ...] = Field(("PSA-GAN", "EBGAN"), description="models of those")
    fewer_seeds: dict[str, tuple[int, ...]] = Field(
        default_factory=dict,
        description="models, variants, panels and parts that are run with these of the seeds only; all others with all",
    )

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        known = {"models": MODELS, "side_models": MODELS, "variants": tuple(VARIANTS), "gluonts_datasets": GLUONTS_SETS}
        for name, values in known.items():
            unknown = [value for value in getattr(self, name) if value not in values]
            if unknown:
                raise ValueError(f"{name} has {unknown[0]!r}; known are {', '.join(values)}.")
        parts = (*self.models, *self.variants, *self.side_datasets, *PARTS)
        if unknown := [name for name in self.fewer_seeds if name not in parts]:
            raise ValueError(f"fewer_seeds has {unknown[0]!r}; known are {', '.join(parts)}.")
        if not all(0 < share < 1 for share in self.cold_shares):
            raise ValueError(f"cold_shares must lie between 0 and 1, got {self.cold_shares}.")
        if self.gap_lengths and min(self.gap_lengths) < 1:
            raise ValueError(f"gap_lengths must be at least 1, got {self.gap_lengths}.")
        if self.variants and self.ablation_window in self.windows and self.steps != self.ablation_steps:
            raise ValueError(
                f"ablation_window={self.ablation_window} is one of windows, where PSA-GAN is trained for "
                f"steps={self.steps}, and its variants for ablation_steps={self.ablation_steps}: the full model would "
                "be two; give equal steps, or another ablation_window."
            )
        for length in (*self.windows, self.ablation_window):
            if length < 8 or length & (length - 1):
                raise ValueError(f"windows and ablation_window must be powers of two ≥ 8, got {length}.")
        return self

    @property
    def reduced_scale(self) -> bool:
        """Whether steps, width, batch, encoder or series are fewer than the paper's."""
        small = self.steps < PAPERS_STEPS or self.channels < 32 or self.batch_size < 128
        return small or self.encoder != "paper" or self.fid_draws < 10

    def runs(self, part: str, seed: int) -> bool:
        """Tell whether a model, variant, panel or part is run with a seed."""
        return seed in self.fewer_seeds.get(part, (seed,))

    def of_side(self) -> Self:
        """Return the settings of a side panel."""
        none: dict[str, object] = dict.fromkeys(("variants", "gap_lengths", "cold_shares"), ())
        none |= dict.fromkeys(("ranked_generators", "further_encoders"), 0)
        changed = {"models": self.side_models, "steps": self.ablation_steps, "windows": self.windows[:1]}
        return self.model_copy(update={**none, **changed, "deepar_epochs": self.gap_epochs})

    @property
    def window(self) -> int:
        """The first of the main comparison's lengths: that of forecasts and of what is shown."""
        return self.windows[0]

    @property
    def all_datasets(self) -> tuple[str, ...]:
        """Names of all panels as `reprise.psa_gan.data.load` takes them."""
        return (*self.datasets, *(f"gluonts:{name}" for name in self.gluonts_datasets))
