"""When the networks grow, and how a new stage is faded in."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from reprise.psa_gan.architecture import Fade
from reprise.psa_gan.input_checks import PSAGANInputError, check_number, check_whole

BATCHES_PER_EPOCH = 100  # of the released code
SHARE_OF_LAST = 0.4


@dataclass(frozen=True)
class Schedule:
    """Stages over generator steps.

    Attributes
    ----------
    n_stages, max_steps
        Stages from length 8 to τ; generator steps in all.
    progressive
        Whether the networks grow; else they have full depth from the start.
    fade
        Share of a stage over which it is faded in, in [0, 1]; 0 switches the fade-in off. With ``early_share`` the last
        stage is faded in over no more steps than the others. Paper: 1, the 500 epochs between two growths.
    early_share
        Share of the steps of each stage but the last; None leaves 40 % to the last and divides the rest equally.
        Paper: 1/7, 500 of 3500 epochs.
    fade_kind, n_critic
        ``"official"`` raises α once an epoch of 100 batches, of which a generator step takes 1 + n_critic.

    Raises
    ------
    PSAGANInputError
        If a share is no number or out of range, or the steps end before the last stage begins.
    """

    n_stages: int
    max_steps: int
    progressive: bool = True
    fade: float = 0.4
    early_share: float | None = None
    fade_kind: Fade = "identity"
    n_critic: int = 2

    def __post_init__(self) -> None:
        check_number("fade", self.fade, 0)
        if self.fade > 1:
            raise PSAGANInputError(f"fade={self.fade} must lie in [0, 1]: the share of a stage that it is faded in.")
        check_whole("max_steps", self.max_steps, 1)
        if self.early_share is not None:
            check_number("early_share", self.early_share, 0, open_end=True)
        n_early = self.n_stages - 1 if self.progressive else 0
        if n_early and self.early_share is not None and self.early_share * n_early >= 1:
            raise PSAGANInputError(
                f"early_share={self.early_share} leaves nothing to the last of {self.n_stages} stages; take less than "
                f"1/{n_early}."
            )
        if min(self.stage_steps) < 1:
            least = next(n for n in itertools.count(self.max_steps + 1) if min(self._stages_of(n)) >= 1)
            raise PSAGANInputError(
                f"max_steps={self.max_steps} ends before the last of {self.n_stages} stages begins; give at least "
                f"{least} steps (several hundred a stage to learn anything), or a shorter window."
            )

    @property
    def stage_steps(self) -> tuple[int, ...]:
        """Generator steps of each stage, from length 8 on."""
        return self._stages_of(self.max_steps)

    def _stages_of(self, max_steps: int) -> tuple[int, ...]:
        n_early = self.n_stages - 1
        if not self.progressive or not n_early:
            return (max_steps,)
        share = (1 - SHARE_OF_LAST) / n_early if self.early_share is None else self.early_share
        early = int(max_steps * share)
        return (early,) * n_early + (max_steps - early * n_early,)

    @property
    def growth_steps(self) -> tuple[int, ...]:
        """First step of each stage but the first."""
        steps = self.stage_steps
        return tuple(sum(steps[:place]) for place in range(1, len(steps)))

    def at(self, step: int) -> tuple[int, float]:
        """Return depth and α of a step: 0 ≤ α ≤ 1, and 1 at the first stage and after a fade-in."""
        if not self.progressive:
            return self.n_stages - 1, 1.0
        depth = sum(step >= growth for growth in self.growth_steps)
        if depth == 0:
            return 0, 1.0
        since = step - self.growth_steps[depth - 1]
        length = self.stage_steps[depth]
        if self.early_share is not None:
            length = min(length, self.stage_steps[0])
        if self.fade_kind == "official":
            epoch = BATCHES_PER_EPOCH / (1 + self.n_critic)
            return depth, min(1.0, (int(since / epoch) + 1) / max(1, round(self.fade * length / epoch)))
        fade_steps = round(self.fade * length)
        return depth, min(1.0, since / fade_steps) if fade_steps else 1.0
