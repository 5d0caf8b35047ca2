"""Generalisation within one domain (Schott et al., ICLR 2022; arXiv:2107.08221).

Images are rendered from a grid of independent factors. Nothing new appears at test time: known values of the factors
are only recombined, interpolated or extrapolated. Models regress all factors, and the same grid is split in four ways,
so that differences between splits measure generalisation alone.

Implemented: factor grids and the exact splits, the benchmark's metric, DCI, 17 approaches as we reconstruct them (some
need a GPU or a download), dSprites re-rendered and checked against original frames, two substitutes for the other data
sets, readers of the originals, oracles in closed form, and two remedies. Not implemented: CelebGlow.
"""

from reprise.public_names import load_when_used

_HOMES = {
    "FactorGrid": "grid",
    "find_grid": "grid",
    "FactorTable": "table",
    "Split": "splits",
    "make_split": "splits",
    "GridImages": "images",
    "RenderedGrid": "images",
    "build_model": "models",
    "register_model": "models",
    "TrainingOptions": "training",
    "train_regressor": "training",
    "train_representation": "training",
    "train_stacked": "training",
    "evaluate": "evaluation",
    "oracle_scores": "oracles",
    "dci": "disentanglement",
    "read_original": "originals",
    "check_sprites": "archive_check",
}

__getattr__, __dir__, __all__ = load_when_used(__name__, _HOMES)
