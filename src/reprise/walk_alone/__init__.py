"""You mostly walk alone (Makansi, von Kügelgen, Locatello, Gehler, Janzing, Brox, Schölkopf; ICLR 2022).

arXiv:2110.05304.

A trajectory predictor sees the past of one agent and of its neighbours. How much of its performance does it owe to
whom? The past and each neighbour are players of a cooperative game whose value is minus the loss; their shares are
Shapley values. On pavements nearly all is owed to the target's own past; on a basketball court it is not.

Implemented: Shapley and Banzhaf values of any value function, games of trajectories with cached encoders, Trajectron++
with summed edges and with one edge per neighbour, PECNet, constant velocity, strangers as a null for the interaction
score, ETH-UCY, SDD, SportVU and three simulated worlds. Not implemented: Social-STGCNN, and nuScenes with its map.
"""

from reprise.public_names import load_when_used

_HOMES = {
    "Attribution": "attribution",
    "shapley": "checked",
    "Explanation": "own_data",
    "explain": "own_data",
    "to_frame": "own_data",
    "from_dataframe": "own_tables",
    "TrajectronPredictor": "own_predictors",
    "train_predictor": "own_predictors",
    "interaction_score": "own_predictors",
    "Windows": "windows",
    "WindowsError": "windows",
    "load_eth_ucy": "pedestrians",
    "load_sdd": "pedestrians",
    "load_nba_sportvu": "basketball",
    "simulate": "worlds",
    "world_windows": "worlds",
    "Scale": "states",
    "States": "states",
    "Shape": "trajectron",
    "TrajectronCVAE": "trajectron",
    "TrainingOptions": "training",
    "train": "training",
    "TrajectronGame": "checked_games",
    "Noise": "games",
    "Groups": "pecnet",
    "PECNet": "pecnet",
    "PECNetGame": "checked_games",
    "PECNetOptions": "pecnet",
    "train_pecnet": "pecnet",
    "attribute": "interaction",
    "with_strangers": "interaction",
    "probe": "linear_probe",
}

__getattr__, __dir__, __all__ = load_when_used(__name__, _HOMES)
