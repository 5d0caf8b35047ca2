"""The rivals as estimators: the paper's five methods over the same networks.

All methods get the domain embedding in the encoder, as in the paper; only the adversary differs.
"""

from reprise.grda.estimators import GraphDomainClassifier, GraphDomainRegressor


class SourceOnlyClassifier(GraphDomainClassifier):
    """Encoder and predictor trained on the source domains alone; parameters as `GRDAClassifier`."""

    _method = "source-only"


class DANNClassifier(GraphDomainClassifier):
    """Domain-adversarial training: D names the domain; parameters as `GRDAClassifier`."""

    _method = "dann"


class CDANNClassifier(GraphDomainClassifier):
    """As DANN, with a discriminator that also sees the class probabilities; parameters as `GRDAClassifier`."""

    _method = "cdann"


class ADDAClassifier(GraphDomainClassifier):
    """Adversarial source-or-target discrimination; parameters as `GRDAClassifier`."""

    _method = "adda"


class MDDClassifier(GraphDomainClassifier):
    """Margin disparity discrepancy: a second head is the adversary; parameters as `GRDAClassifier`."""

    _method = "mdd"


class SourceOnlyRegressor(GraphDomainRegressor):
    """Encoder and predictor trained on the source domains alone; parameters as `GRDAClassifier`."""

    _method = "source-only"


class DANNRegressor(GraphDomainRegressor):
    """Domain-adversarial training: D names the domain; parameters as `GRDAClassifier`."""

    _method = "dann"


class CDANNRegressor(GraphDomainRegressor):
    """As DANN, with a discriminator that also sees the predictions; parameters as `GRDAClassifier`."""

    _method = "cdann"


class ADDARegressor(GraphDomainRegressor):
    """Adversarial source-or-target discrimination; parameters as `GRDAClassifier`."""

    _method = "adda"


class MDDRegressor(GraphDomainRegressor):
    """Margin disparity with squared differences, at most 1 each on targets; parameters as `GRDAClassifier`."""

    _method = "mdd"
