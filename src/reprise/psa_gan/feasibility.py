"""What the parameters of a run must be together, and on its panels: looked at before anything is computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from reprise.psa_gan.cell import LEAST_STARTS
from reprise.psa_gan.controls import steps_of
from reprise.psa_gan.data import HORIZON
from reprise.psa_gan.input_checks import SHORTEST, PSAGANInputError
from reprise.psa_gan.schedule import Schedule
from reprise.psa_gan.settings import Settings
from reprise.psa_gan.study import cells

LARGEST_SEED = 2**63 - 1  # of PyTorch's generators


def check_run(settings: Settings) -> None:
    """Refuse parameters that cannot work together, or not on their panels.

    What concerns the windows of a panel, `reprise.psa_gan.study.run` looks at.

    Parameters
    ----------
    settings
        What is to be run, each parameter checked by itself.

    Raises
    ------
    PSAGANInputError
        If a run would fail, or leave out silently what is asked for; names the parameters and the remedy.
    """
    looks = (_forecasts, _doubled, _seeds, _steps, _panels)
    refusal = next(chain.from_iterable(look(settings) for look in looks), None)
    if refusal is not None:
        raise PSAGANInputError(refusal)


def _forecasts(settings: Settings) -> Iterator[str]:
    if settings.forecast_series and settings.window < HORIZON:
        yield (
            f"windows begins with {settings.window}, and a forecast takes {HORIZON} steps; begin with {HORIZON} or "
            "more, or set forecast_series to 0."
        )
    for name in ("gap_lengths", "ranked_generators"):
        if getattr(settings, name) and not settings.forecast_series:
            yield f"{name}={getattr(settings, name)} asks for forecasts, and forecast_series is 0; give 1 or more."


def _doubled(settings: Settings) -> Iterator[str]:
    per_cent = [round(100 * share) for share in settings.cold_shares]
    lists: dict[str, Sequence[object]] = {name: getattr(settings, name) for name in ("windows", "models", "variants")}
    for name, values in {**lists, "gap_lengths": settings.gap_lengths, "cold_shares, in per cent,": per_cent}.items():
        twice = [value for place, value in enumerate(values) if value in values[:place]]
        if twice:
            yield f"{name} has {twice[0]!r} twice; leave one out."
    if 0 in per_cent:
        yield f"cold_shares={settings.cold_shares} has a share below half a per cent; give a larger one."


def _seeds(settings: Settings) -> Iterator[str]:
    if max(settings.seeds) > LARGEST_SEED:
        yield f"seeds has {max(settings.seeds)}; give numbers of at most {LARGEST_SEED}."
    ready = list(cells(settings))
    if not ready:
        yield "fewer_seeds leaves no panel with any of the seeds; give other seeds, or leave the panels out of it."
    for cell in ready:
        if not any(cell.settings.runs(name, cell.seed) for name in cell.settings.models):
            yield f"no model is run on {cell.dataset} with seed {cell.seed}; add one to models, or to fewer_seeds."


def _steps(settings: Settings) -> Iterator[str]:
    trainings = [("steps", settings.steps, "windows", window) for window in settings.windows]
    if settings.variants or settings.gap_lengths or settings.cold_shares:
        trainings.append(("ablation_steps", settings.ablation_steps, "ablation_window", settings.ablation_window))
    for name, steps, of, window in trainings:
        try:
            Schedule((window // SHORTEST).bit_length(), steps, early_share=settings.early_share)
        except PSAGANInputError as error:
            yield f"{name}={steps} for a window of {window} steps ({of}): {error}"


def _panels(settings: Settings) -> Iterator[str]:
    for cell in {cell.dataset: cell for cell in cells(settings)}.values():
        panel, longest = cell.split.panel, max(cell.lengths)
        shortest = int(panel.lengths.min())
        if int(cell.split.train_lengths.min()) < 1:
            yield (
                f"{cell.dataset}: a window of {longest} steps (windows, ablation_window) and {LEAST_STARTS} starts for "
                f"it are held out, and the shortest series has {shortest} steps; take a shorter window."
            )
        if cell.settings.cold_shares and steps_of(panel.freq, "day") < 2:
            yield (
                f"{cell.dataset}: a cold series is known by its last day, which is one step at freq={panel.freq!r}; "
                "add the panel to side_datasets, or set cold_shares to []."
            )
