"""What the settings of a PSA-GAN make: its architecture, its schedule and its recipe, each checked."""

from __future__ import annotations

from sklearn.base import BaseEstimator

from reprise.psa_gan.architecture import Architecture
from reprise.psa_gan.input_checks import PSAGANInputError, check_whole
from reprise.psa_gan.model_checks import check_settings, check_unchanged
from reprise.psa_gan.schedule import Schedule
from reprise.psa_gan.training import Recipe


class ModelSettings(BaseEstimator):  # type: ignore[misc,unused-ignore]
    """The part of `reprise.psa_gan.estimator.PSAGAN` that reads and checks its settings."""

    def _check_settings(self) -> None:
        """Refuse settings that cannot work, whether given at construction or later."""
        check_settings(self.get_params())
        self._recipe()
        self._schedule(self._architecture(1, 1))

    def _own_seed(self, seed: int | None) -> int:
        """Return the seed of a call; by default the model's."""
        chosen = self.seed if seed is None else seed
        check_whole("seed", chosen, 0)
        return chosen

    def check_fitted(self) -> None:
        """Refuse a model without a generator, or with another one than its settings tell of.

        Raises
        ------
        PSAGANInputError
            If it is not fitted, or a setting of its networks was changed since.
        """
        if not hasattr(self, "generator_"):
            raise PSAGANInputError("the model is not fitted; call fit(panel) first.")
        fitted = self.generator_.architecture
        check_unchanged(self._architecture(fitted.n_features, fitted.n_categories), fitted)

    def _architecture(self, n_features: int, n_categories: int) -> Architecture:
        names = ("channels", "embed_dim", "key_dim", "context", "attention", "spectral_attention", "condition", "noise")
        switches = {name: getattr(self, name) for name in names}
        return Architecture(
            self.window, n_features, n_categories, **switches, upsampling=self.upsample, fade=self.fade_kind
        )

    def _schedule(self, architecture: Architecture) -> Schedule:
        names = ("max_steps", "progressive", "fade", "early_share", "fade_kind", "n_critic")
        return Schedule(architecture.n_stages, **{name: getattr(self, name) for name in names})

    def _recipe(self) -> Recipe:
        names = ("lr", "batch_size", "n_critic", "moment_weight", "warmup_steps", "warmup_critic", "seed")
        return Recipe(**{name: getattr(self, name) for name in names})
