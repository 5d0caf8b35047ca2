"""The claims of the paper; their decision rules are in `reprise.in_domain.rules`."""

from reprise.claims import Claim, Control
from reprise.in_domain.rules import (
    all_models_lose,
    disentanglement_predicts_little,
    held_out_combinations,
    mechanism_known,
    modular,
    no_class_wins,
    no_gap_on_the_random_split,
    order_of_difficulty,
    positions_unharmed,
    pulled_towards_the_training_range,
)
from reprise.in_domain.settings import MAIN_DATA_SET

CLAIMS = (
    Claim(
        id="C1",
        text="All models score high on the random split and lose on the systematic ones, whatever their supervision or "
        "architecture.",
        source="Abstract",
        kind="effect size",
        paper_value="",
        rule=all_models_lose,
        data_sets=(MAIN_DATA_SET,),
        controls=(Control("must vanish: train and test images of the random split", no_gap_on_the_random_split),),
    ),
    Claim(
        id="C2",
        text="Random is easier than composition and interpolation, and these are easier than extrapolation.",
        source="paper's figures (recalled)",
        kind="ordering",
        paper_value="",
        rule=order_of_difficulty,
        data_sets=(MAIN_DATA_SET,),
    ),
    Claim(
        id="C3",
        text="The more realistic the images (dSprites, Shapes3D, MPI3D, CelebGlow), the larger the loss.",
        source="Abstract",
        kind="ordering",
        paper_value="best extrapolation R² 66.7, 67.8, 54.1 %",
        untestable_because="Images of Shapes3D, MPI3D and CelebGlow are not at hand; substitutes are shown without a "
        "verdict.",
    ),
    Claim(
        id="C4",
        text="Models are modular: where one factor is out of distribution, the others are still read correctly.",
        source="Abstract",
        kind="shape of a curve",
        paper_value="",
        rule=modular,
        data_sets=(MAIN_DATA_SET,),
    ),
    Claim(
        id="C5",
        text="Predictions of an out-of-distribution factor are pulled towards the values seen in training.",
        source="paper's text (recalled)",
        kind="shape of a curve",
        paper_value="",
        rule=pulled_towards_the_training_range,
        data_sets=(MAIN_DATA_SET,),
        controls=(Control("must vanish: a CNN taught how position acts on images", mechanism_known),),
    ),
    Claim(
        id="C6",
        text="No class of models wins everywhere; neither equivariance nor weak supervision buys extrapolation.",
        source="paper's text (recalled)",
        kind="ordering",
        paper_value="",
        rule=no_class_wins,
        data_sets=(MAIN_DATA_SET,),
    ),
    Claim(
        id="C7",
        text="How disentangled a representation is (DCI) predicts its extrapolation only weakly.",
        source="paper's text (recalled)",
        kind="ordering",
        paper_value="",
        rule=disentanglement_predicts_little,
        data_sets=(MAIN_DATA_SET,),
    ),
    Claim(
        id="C8",
        text="With combinations of known values held out, all 17 models have trouble: trained on small hearts and "
        "large squares they fail on large hearts and small squares.",
        source="Amazon Science blog",
        kind="effect size",
        paper_value="",
        rule=held_out_combinations,
        data_sets=(MAIN_DATA_SET,),
        controls=(Control("must vanish: positions, seen with every shape", positions_unharmed),),
    ),
)
