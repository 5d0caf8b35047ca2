"""RIM: recurrent intensity modelling for recommendation and marketing (Ma, Liu, Deoras; ICLR 2022).

The events of a user are a marked point process: λ(x, y) = λ(x) p(y | x), how active the user is now times what comes
next. Ranking items for a user needs p alone; ranking users for an item needs both; and on their common scale both sides
can be matched under bounds.

Implemented: GRU and Transformer mark models, five activity models (none, user popularity, moving average, a Hawkes
process by its Gram matrix, Hawkes–Poisson), both rankings, the matching with certificate offline and online, the
released loop and greedy baseline, factorisations, a graph convolution and a topic model as rivals, and what questions
them.
"""

from reprise.public_names import load_when_used

_HOMES = {
    "RecurrentIntensityModel": "estimators",
    "HawkesPoisson": "estimators",
    "DualMatcher": "matcher",
    "RimInputError": "input_checks",
    "LeakageError": "input_checks",
    "load": "data",
    "load_split": "data",
    "make_shoppers": "generators",
    "temporal_split": "splits",
    "user_split": "splits",
    "item_rec": "ranking",
    "user_rec": "ranking",
    "intensity_scores": "ranking",
}
__getattr__, __dir__, __all__ = load_when_used(__name__, _HOMES)
