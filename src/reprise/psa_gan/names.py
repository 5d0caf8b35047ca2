"""Names of methods and parts as they stand in rows, rules, figures and prose."""

from __future__ import annotations

PSA, PSA_C, EBGAN, TIMEGAN = "PSA-GAN", "PSA-GAN-C", "EBGAN", "TimeGAN"
MODELS = (PSA, PSA_C, EBGAN, TIMEGAN)

NO_ATTENTION, NO_MOMENTS, NO_FADE = "no attention", "no moment loss", "no fade-in"
NO_GROWING, UNIT_NOISE, FRESH_NOISE, NO_CONDITION = "no growing", "unit noise", "fresh noise", "no condition"
# What each variant changes of the full model: fields of `reprise.psa_gan.estimator.PSAGAN`.
VARIANTS: dict[str, dict[str, object]] = {
    NO_ATTENTION: {"attention": False},
    NO_MOMENTS: {"moment_weight": 0.0},
    NO_FADE: {"fade": 0.0},
    "no attention, no moment loss": {"attention": False, "moment_weight": 0.0},
    "no attention, no fade-in": {"attention": False, "fade": 0.0},
    "no moment loss, no fade-in": {"moment_weight": 0.0, "fade": 0.0},
    "none of the three": {"attention": False, "moment_weight": 0.0, "fade": 0.0},
    NO_GROWING: {"progressive": False},
    UNIT_NOISE: {"noise": "unit"},
    FRESH_NOISE: {"noise": "fresh"},
    NO_CONDITION: {"condition": False},
    "linear upsampling": {"upsample": "linear"},
    "normalised attention": {"spectral_attention": True},
    "official fade-in": {"fade_kind": "official"},
}
SINGLE_REMOVALS = (NO_ATTENTION, NO_MOMENTS, NO_FADE)

LAST_SEASON, BOOTSTRAP = "Last week repeated", "Block bootstrap"
SEASONAL_AR, RESAMPLED = "Hour of week + AR(1)", "Training windows"
CONTROLS = (LAST_SEASON, BOOTSTRAP, SEASONAL_AR, RESAMPLED)
# The first is GluonTS' imputation, which marks its values as unobserved; the second are values of our own, as observed.
MOVING_AVERAGE, ROLLING_MEAN = "Moving average", "Rolling mean"
LAST_DAY = "Last day repeated"
TRUE_VALUES, DEEPAR, ENCODER = "True values", "DeepAR", "Encoder"
REAL = "Real windows"

# Parts of the study that not every seed need have.
MISSING, COLD, ENCODERS = "missing stretches", "cold starts", "further encoders"
PARTS = (MISSING, COLD, ENCODERS)

# GluonTS' names: the paper's four panels, and a control that its authors prepared.
GLUONTS_SETS = ("electricity_nips", "traffic_nips", "solar_nips", "m4_hourly", "exchange_rate_nips")


def variant_name(variant: str) -> str:
    """Return the method name of a variant.

    Examples
    --------
    >>> variant_name("no attention")
    'PSA-GAN, no attention'
    """
    return f"{PSA}, {variant}"
