"""CORAL, the shallow rival: a linear model after the source's covariance was aligned to each target domain's."""

import numpy as np
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.linear_model import LogisticRegression, Ridge

from reprise.errors import RepriseError
from reprise.grda.data import GraphDomains
from reprise.grda.self_training import source_only_linear, standardised


def coral_predictions(domains: GraphDomains, *, regularisation: float = 1.0) -> np.ndarray:
    """Align the source rows' covariance to each target domain's (CORAL, by skada), then predict that domain.

    Both covariances are shrunk towards a multiple of the identity by the coefficient that Ledoit and Wolf's formula
    gives for the target domain's rows. skada's automatic choice shrinks *standardised* columns instead: one that
    hardly varies within a target domain (a digit's border pixel after a small rotation) then leaves an eigenvalue of
    rounding size, which some processors compute as a negative number without a square root.

    Parameters
    ----------
    domains
        The data set.
    regularisation
        Logistic regression's C, or ridge regression's α.

    Returns
    -------
    numpy.ndarray
        Classes (n,), or outputs (n, h); for source domains those without adaptation.

    Raises
    ------
    RepriseError
        If skada or its dependency POT is missing.
    """
    try:
        from skada import CORALAdapter
    except ImportError as error:
        raise RepriseError(f"CORAL needs skada and POT ({error}); run: pip install skada POT.") from error
    predictions, scaled = source_only_linear(domains), standardised(domains)
    labelled = np.flatnonzero(domains.labelled)
    for domain in np.flatnonzero(~domains.source):
        seen = np.flatnonzero((domains.domain == domain) & domains.adaptation)
        own = np.flatnonzero(domains.domain == domain)
        # skada's convention: sources have positive, targets negative domain numbers.
        sample_domain = np.repeat([1, -2], [len(labelled), len(seen)])
        adapter = CORALAdapter(reg=float(ledoit_wolf_shrinkage(scaled[seen])))
        aligned = adapter.fit_transform(scaled[np.concatenate((labelled, seen))], sample_domain=sample_domain)
        linear = (
            LogisticRegression(C=regularisation) if domains.task == "classification" else Ridge(alpha=regularisation)
        )
        linear.fit(aligned[: len(labelled)], domains.targets[labelled])
        predictions[own] = linear.predict(adapter.transform(scaled[own], sample_domain=np.full(len(own), -2)))
    return predictions
