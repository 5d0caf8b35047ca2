"""TF-IDF of node texts: the paper's three vectorisers joined (Step 1), and the plain words of the linear encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.preprocessing import normalize

from reprise.giant_xrt.input_checks import check_texts

NGRAMS = ((1, 1, "word"), (2, 2, "word"), (3, 3, "char_wb"))
MAX_FEATURES = (1_000_000, 3_000_000, 200_000)
MAX_WORDS, MIN_DOCUMENTS = 8000, 2


class TfidfText(BaseEstimator):
    """TF-IDF of words, pairs of words and character triples, each of length 1, joined, and again of length 1.

    A word is whatever stands between white space: case is kept and punctuation stays attached, as in the released code.
    idf(w) = max(0, ln(N/(df_w + 1))), raw counts as term frequency.

    Parameters
    ----------
    ngrams
        Least and greatest n and the analyser of each vectoriser.
    max_df
        Terms in a larger share of the texts are dropped.
    max_features
        Most features of each vectoriser.
    on_empty
        What to do with empty texts (`reprise.giant_xrt.input_checks.check_texts`).
    """

    def __init__(
        self,
        ngrams: Sequence[tuple[int, int, str]] = NGRAMS,
        max_df: float = 0.98,
        max_features: Sequence[int] = MAX_FEATURES,
        on_empty: str = "error",
    ) -> None:
        self.ngrams, self.max_df, self.max_features, self.on_empty = ngrams, max_df, max_features, on_empty

    def fit(self, texts: Sequence[str]) -> TfidfText:
        """Learn vocabulary and idf."""
        self.fit_transform(texts)
        return self

    def fit_transform(self, texts: Sequence[str]) -> sparse.csr_array:
        """Learn from texts and return their matrix, float32 of shape ``(n, d)``."""
        given = check_texts(texts, on_empty=self.on_empty)
        parts = zip(self.ngrams, self.max_features, strict=False)
        self.vectorizers_ = [self._vectorizer(*ngram, most) for ngram, most in parts]
        counts = [vectorizer.fit_transform(given) for vectorizer in self.vectorizers_]
        self.idf_ = [inverse_document_frequency(one) for one in counts]
        return self._joined(counts)

    def transform(self, texts: Sequence[str]) -> sparse.csr_array:
        """Return the matrix of texts under the vocabulary learnt, float32 of shape ``(n, d)``."""
        given = check_texts(texts, on_empty=self.on_empty)
        return self._joined([vectorizer.transform(given) for vectorizer in self.vectorizers_])

    def _vectorizer(self, low: int, high: int, analyzer: str, most: int) -> CountVectorizer:
        return CountVectorizer(
            lowercase=False,
            token_pattern=r"\S+" if analyzer == "word" else None,
            analyzer=analyzer,
            ngram_range=(low, high),
            max_df=self.max_df,
            max_features=most,
            dtype=np.float32,
        )

    def _joined(self, counts: Sequence[Any]) -> sparse.csr_array:
        weighted = [normalize(one.multiply(idf[None, :]).tocsr()) for one, idf in zip(counts, self.idf_, strict=True)]
        return sparse.csr_array(normalize(sparse.hstack(weighted, format="csr")), dtype=np.float32)


def inverse_document_frequency(counts: Any) -> np.ndarray:
    """Return max(0, ln(N/(df + 1))) of each column of a sparse matrix of counts, float32 ``(d,)``."""
    documents = np.bincount(counts.indices, minlength=counts.shape[1])
    return np.maximum(0.0, np.log(counts.shape[0] / (documents + 1.0))).astype(np.float32)


def plain_words(max_words: int = MAX_WORDS) -> TfidfVectorizer:
    """Return the vectoriser of the linear encoder: scikit-learn's words in at least two texts, rows of length 1."""
    return TfidfVectorizer(min_df=MIN_DOCUMENTS, max_features=max_words, dtype=np.float32)
