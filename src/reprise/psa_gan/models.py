"""The trained models of a cell, with early generators kept on the way."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from reprise.flops import floating_point_operations
from reprise.psa_gan.architecture import Architecture
from reprise.psa_gan.cell import Cell
from reprise.psa_gan.ebgan import train_ebgan
from reprise.psa_gan.estimator import PSAGAN
from reprise.psa_gan.filling import WindowSource
from reprise.psa_gan.generator import Generator
from reprise.psa_gan.names import EBGAN, NO_GROWING, PSA, PSA_C, TIMEGAN, VARIANTS, variant_name
from reprise.psa_gan.sampling import WindowGenerator
from reprise.psa_gan.schedule import Schedule
from reprise.psa_gan.timegan import TimeGANRecipe, train_timegan
from reprise.psa_gan.training import Recipe, Trainer

SPECTRA = 40  # looks at the spectrum during a training
EARLY_PHASES = 2  # steps of each of TimeGAN's first two phases, which are cheap, to one of the third


@dataclass(frozen=True)
class Snapshot:
    """A generator on its way: its weights, and how far it had grown."""

    step: int
    depth: int
    alpha: float
    weights: dict[str, Tensor]


@dataclass(frozen=True)
class Trained:
    """A trained model.

    Attributes
    ----------
    method, window, steps
        Its name in rows, τ, and generator steps.
    source
        Makes windows from the cell's panel.
    generator
        The network, or None for a model that is none of ours.
    snapshots
        Early generators by step.
    schedule, history
        When it grew, and losses and gates of each step (PSA-GAN alone).
    """

    method: str
    window: int
    steps: int
    source: WindowSource
    generator: Generator | None = None
    snapshots: dict[int, Snapshot] = field(default_factory=dict)
    schedule: Schedule | None = None
    history: tuple[tuple[str, ...], list[list[float]]] = ((), [])

    def early(self, cell: Cell, step: int) -> WindowGenerator:
        """Return the generator as it was after a step; windows of early stages are repeated to full length."""
        assert self.generator is not None
        snapshot = self.snapshots[step]
        generator = copy.deepcopy(self.generator)
        generator.load_state_dict(snapshot.weights)
        return WindowGenerator(generator, cell.panel, depth=snapshot.depth, alpha=snapshot.alpha)


def curve_steps(steps: int, points: int) -> list[int]:
    """Return the steps whose generators are scored: 0, the last, and equally far ones between.

    Examples
    --------
    >>> curve_steps(100, 4)
    [0, 25, 50, 75, 100]
    """
    return sorted({round(steps * place / points) for place in range(points + 1)})


def kept_steps(steps: int, points: int) -> set[int]:
    """Return all steps whose generators are kept, those whose spectrum is looked at among them."""
    return {*curve_steps(steps, points), *curve_steps(steps, min(SPECTRA, steps))}


def main_model(cell: Cell, name: str, window: int) -> Trained:
    """Train one of the main comparison's models at a length; all but TimeGAN take as many generator steps."""
    s = cell.settings
    if name == EBGAN:
        return _ebgan(cell, window)
    if name == TIMEGAN:
        return _timegan(cell, window)
    return _psagan(cell, name, window, s.steps, {"context": s.context} if name == PSA_C else {})


def variant_model(cell: Cell, variant: str | None) -> Trained:
    """Train a variant of PSA-GAN, or itself (None), at the variants' length and steps."""
    s = cell.settings
    if variant is None:
        return _psagan(cell, PSA, s.ablation_window, s.ablation_steps, {})
    return _psagan(cell, variant_name(variant), s.ablation_window, s.ablation_steps, VARIANTS[variant])


def _ebgan(cell: Cell, window: int) -> Trained:
    s = cell.settings
    n_categories = int(cell.panel.static_cat.max()) + 1
    architecture = Architecture(window, cell.panel.n_features, n_categories, channels=s.channels)
    recipe = Recipe(lr=s.ebgan_lr, batch_size=s.batch_size, n_critic=s.n_critic, seed=cell.seed)
    wanted = kept_steps(s.steps, s.curve_points)
    snapshots: dict[int, Snapshot] = {}

    def keep(step: int, generator: Generator) -> None:
        if step in wanted:
            snapshots[step] = Snapshot(step, architecture.n_stages - 1, 1.0, _copied(generator))

    generator = train_ebgan(cell.train, architecture, recipe, s.steps, keep)
    return Trained(EBGAN, window, s.steps, WindowGenerator(generator, cell.panel), generator, snapshots)


def _timegan(cell: Cell, window: int) -> Trained:
    s = cell.settings
    before = EARLY_PHASES * s.timegan_steps
    recipe = TimeGANRecipe(
        embedding_steps=before,
        supervisor_steps=before,
        joint_steps=s.timegan_steps,
        batch_size=s.batch_size,
        lr=s.timegan_lr,
        seed=cell.seed,
    )
    return Trained(TIMEGAN, window, s.timegan_steps, train_timegan(cell.train, window, recipe).sample)


def _psagan(cell: Cell, method: str, window: int, steps: int, changes: dict[str, Any]) -> Trained:
    key = ("trained", window, steps, tuple(sorted(changes.items())))
    if key not in cell.found:
        cell.found[key] = _train(cell, method, window, steps, changes)
    trained: Trained = cell.found[key]
    return trained


def _train(cell: Cell, method: str, window: int, steps: int, changes: dict[str, Any]) -> Trained:
    trainer = estimator(cell, window, steps, changes).trainer(cell.train)
    wanted = {*kept_steps(steps, cell.settings.curve_points), *trainer.schedule.growth_steps}
    if method == variant_name(NO_GROWING):
        wanted |= {steps_of_equal_operations(cell, window, steps)}
    snapshots = {0: _snapshot(trainer)}

    def keep(one: Trainer) -> None:
        if one.step in wanted:
            snapshots[one.step] = _snapshot(one)

    trainer.run(callback=keep)
    generator = trainer.generator.eval()
    source = WindowGenerator(generator, cell.panel)
    history = (trainer.history_columns, trainer.history)
    return Trained(method, window, steps, source, generator, snapshots, trainer.schedule, history)


def estimator(cell: Cell, window: int, steps: int, changes: dict[str, Any]) -> PSAGAN:
    """Return an untrained PSA-GAN with the study's settings, but for some changes."""
    s = cell.settings
    options = {name: getattr(s, name) for name in ("channels", "batch_size", "lr", "n_critic", "warmup_steps", "fade")}
    options |= {"early_share": s.early_share, "seed": cell.seed, "device": s.device, "max_steps": steps}
    return PSAGAN(window, **{**options, **changes})


def _snapshot(trainer: Trainer) -> Snapshot:
    depth, alpha = trainer.schedule.at(max(trainer.step - 1, 0))
    return Snapshot(trainer.step, depth, alpha, _copied(trainer.generator))


def _copied(generator: Generator) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in generator.state_dict().items()}


def step_operations(cell: Cell, window: int) -> list[int]:
    """Return the floating-point operations of one generator step with its discriminator steps, at each depth."""
    s = cell.settings
    model = PSAGAN(window, channels=s.channels, batch_size=s.batch_size, n_critic=s.n_critic, device=s.device)
    trainer = model.trainer(cell.train)
    # The fused kernel of a CPU is not counted, the plain one is: the count chooses a row and must not depend on it.
    with sdpa_kernel(SDPBackend.MATH):
        return [
            floating_point_operations(trainer.one_step, depth, 1.0, s.n_critic)
            for depth in range(trainer.architecture.n_stages)
        ]


def steps_of_equal_operations(cell: Cell, window: int, steps: int) -> int:
    """Return how many steps at full depth take the operations of a training that grows."""
    s = cell.settings
    key = ("equal operations", window, steps)
    if key not in cell.found:
        costs = step_operations(cell, window)
        schedule = Schedule(len(costs), steps, early_share=s.early_share)
        total = sum(n * cost for n, cost in zip(schedule.stage_steps, costs, strict=True))
        cell.found[key] = round(total / costs[-1])
    found: int = cell.found[key]
    return found
