"""You mostly walk alone (Makansi, von Kügelgen, Locatello, Gehler, Janzing, Brox, Schölkopf; ICLR 2022).

arXiv:2110.05304.

A trajectory predictor sees the past of one agent and of its neighbours. How much of its performance does it owe to
whom? The past and each neighbour are players of a cooperative game whose value is minus the loss; their shares are
Shapley values. On pavements nearly all is owed to the target's own past; on a basketball court it is not.

Implemented: Shapley and Banzhaf values of any value function, games of trajectories with cached encoders, Trajectron++
with summed edges and with one edge per neighbour, PECNet, constant velocity, strangers as a null for the interaction
score, ETH-UCY, SDD, SportVU and three simulated worlds. Not implemented: Social-STGCNN, and nuScenes with its map.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Attribution": "attribution",
    "shapley": "attribution",
    "Explanation": "own_data",
    "explain": "own_data",
    "from_dataframe": "own_data",
    "Windows": "windows",
    "WindowsError": "windows",
    "load_eth_ucy": "pedestrians",
    "load_sdd": "pedestrians",
    "load_nba_sportvu": "basketball",
    "simulate": "worlds",
    "world_windows": "worlds",
    "Shape": "trajectron",
    "TrajectronCVAE": "trajectron",
    "TrainingOptions": "training",
    "train": "training",
    "TrajectronGame": "games",
    "Noise": "games",
    "PECNet": "pecnet",
    "PECNetGame": "pecnet",
    "attribute": "interaction",
    "with_strangers": "interaction",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name from its module when it is first asked for, so that this package stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
