"""PSA-GAN: progressive self-attention GANs for synthetic time series (Jeha et al., ICLR 2022; arXiv:2108.00981).

A generator and a discriminator of convolutions with self-attention first play on windows of 8 averaged points, then on
16, 32, and so on to full length; each new stage is faded in. Both are told the calendar and the series. Context-FID
compares Gaussians fitted to embeddings of real and of synthetic windows.
"""

from reprise.public_names import load_when_used

_HOMES = {
    "PSAGAN": "estimator",
    "TimeSeriesPanel": "panel",
    "MinMaxScaler": "scaling",
    "PSAGANInputError": "input_checks",
    "make_panel": "generators",
    "load": "data",
    "ContextFID": "fid",
    "FIDResult": "fid",
    "context_fid": "fid",
    "frechet_distance": "frechet",
    "paired_windows": "comparing",
    "scaled_panel": "comparing",
    "train_ebgan": "ebgan",
    "train_timegan": "timegan",
    "TimeGANRecipe": "timegan",
}

__getattr__, __dir__, __all__ = load_when_used(__name__, _HOMES)
