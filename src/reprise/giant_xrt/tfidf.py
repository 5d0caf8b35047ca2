"""TF-IDF of node texts: the paper's three vectorisers joined (Step 1), and the plain words of the linear encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.preprocessing import normalize

from reprise.giant_xrt.input_checks import GiantInputError, check_name, check_number, check_texts

NGRAMS = ((1, 1, "word"), (2, 2, "word"), (3, 3, "char_wb"))
MAX_FEATURES = (1_000_000, 3_000_000, 200_000)
ANALYSERS = ("word", "char", "char_wb")
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
        """Learn from texts and return their matrix, float32 of shape ``(n, d)``.

        Raises
        ------
        GiantInputError
            If an option makes no sense, texts are unusable, or no term is left.
        """
        self._check_options()
        given = check_texts(texts, on_empty=self.on_empty)
        parts = zip(self.ngrams, self.max_features, strict=False)
        self.vectorizers_ = [self._vectorizer(*ngram, most) for ngram, most in parts]
        remedy = f"drop their part of ngrams={self.ngrams!r}, or raise max_df={self.max_df}"
        counts = [learnt(vectorizer, given, remedy) for vectorizer in self.vectorizers_]
        self.idf_ = [inverse_document_frequency(one) for one in counts]
        return self._joined(counts)

    def transform(self, texts: Sequence[str]) -> sparse.csr_array:
        """Return the matrix of texts under the vocabulary learnt, float32 of shape ``(n, d)``."""
        if not hasattr(self, "idf_"):
            raise GiantInputError("this TfidfText is not fitted; call fit_transform(texts) first.")
        given = check_texts(texts, on_empty=self.on_empty)
        return self._joined([vectorizer.transform(given) for vectorizer in self.vectorizers_])

    def _check_options(self) -> None:
        check_number("max_df", self.max_df, above=0)
        if self.max_df > 1:
            raise GiantInputError(f"max_df={self.max_df} must be a share of the texts, at most 1.")
        if not 1 <= len(self.ngrams) <= len(self.max_features):
            raise GiantInputError(
                f"max_features={self.max_features!r} must have a number for each of the {len(self.ngrams)} ngrams."
            )
        for low, high, analyzer in self.ngrams:
            check_name("analyser of ngrams", analyzer, ANALYSERS)
            check_number("n of ngrams", low, least=1, whole=True)
            check_number("n of ngrams", high, least=low, whole=True)

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


def learnt(vectorizer: Any, texts: Sequence[str], remedy: str) -> Any:
    """Return what a vectoriser of scikit-learn makes of the texts that it learns from.

    Raises
    ------
    GiantInputError
        If it finds no term; the message names the remedy.
    """
    try:
        return vectorizer.fit_transform(texts)
    except ValueError as error:
        raise GiantInputError(
            f"texts, {len(texts)} of them, have no terms that can be used ({str(error).rstrip('.')}); {remedy}."
        ) from error


def word_matrix(texts: Sequence[str], max_words: int = MAX_WORDS) -> tuple[TfidfVectorizer, sparse.csr_array]:
    """Return the fitted vectoriser of `plain_words` and its TF-IDF of the texts, ``(n, d)``.

    Raises
    ------
    GiantInputError
        If no word stands in two texts.
    """
    words = plain_words(max_words)
    remedy = f"no word of two letters stands in {MIN_DOCUMENTS} of them: give longer texts, or pass encoder='minilm'"
    return words, sparse.csr_array(learnt(words, texts, remedy))


def plain_words(max_words: int = MAX_WORDS) -> TfidfVectorizer:
    """Return the vectoriser of the linear encoder: scikit-learn's words in at least two texts, rows of length 1."""
    return TfidfVectorizer(min_df=MIN_DOCUMENTS, max_features=max_words, dtype=np.float32)
