"""Features of a reader's own images and sentences, from the frozen networks of this chapter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reprise.diva.data import FLIPS
from reprise.diva.encoders import encode_images, encode_sentences
from reprise.diva.input_checks import DivaInputError
from reprise.errors import unknown_name


def extract_features(
    images: Sequence[Any] | np.ndarray, network: str = "mobilenet-v1-0.5", *, flip: str = "none", device: Any = "cpu"
) -> np.ndarray:
    """Return the features of images from a frozen network, for `DivaReweight` and the closed forms.

    Parameters
    ----------
    images
        Paths, or uint8 arrays of shape (height, width, 3); or one array of shape (N, height, width, 3).
    network
        ``"mobilenet-v1-0.25"``, ``"mobilenet-v1-0.5"`` or ``"mobilenet-v2-1.0"``, whose weights are among the chapter's
        data (``reprise data fetch diva``); ``"resnet-34"``, the paper's, needs torchvision and its weights;
        ``"clip-vit-b-32"`` needs the weights of CLIP.
    flip
        ``"none"``, ``"horizontal"`` or ``"vertical"``: what is done to every image first.
    device
        Where to run the network.

    Returns
    -------
    numpy.ndarray
        float32, (N, m); neither scaled nor with a constant: the estimators do both.

    Raises
    ------
    DivaInputError
        If these are no images; says what to change.
    DataError
        If the network's library or weights are not there; says what to install.
    """
    if isinstance(images, str | Path):
        raise DivaInputError(f"images is one path, {str(images)!r}; give a list of paths.")
    if flip not in FLIPS:
        raise unknown_name("flip", flip, list(FLIPS))
    if len(images) == 0:
        raise DivaInputError("images is empty; give at least one image.")
    if isinstance(images, np.ndarray) and images.ndim == 3:
        raise DivaInputError(f"images has the shape {images.shape}, that of a single image; give images[None].")
    for place, image in enumerate(images):
        if not isinstance(image, str | Path):
            _check_image(image, place)
    return encode_images(list(images), network, flip=flip, device=device)


def _check_image(image: Any, place: int) -> None:
    if not isinstance(image, np.ndarray):
        raise DivaInputError(f"image {place} is a {type(image).__name__}; give a path or an array (numpy.asarray).")
    if image.ndim != 3 or image.shape[2] != 3:
        remedy = "move the channels to the end" if image.ndim == 3 and image.shape[0] == 3 else "convert it to RGB"
        raise DivaInputError(f"image {place} has the shape {image.shape}, not (height, width, 3); {remedy}.")
    if image.dtype != np.uint8:
        raise DivaInputError(f"image {place} has the type {image.dtype}; give uint8 values from 0 to 255.")


def extract_sentence_features(sentences: Sequence[str], *, device: Any = "cpu") -> np.ndarray:
    """Return the features of sentences from the frozen sentence encoder (MiniLM), float32 of shape (N, 384).

    Parameters
    ----------
    sentences
        Texts, cut after 128 tokens.
    device
        Where to run the encoder.

    Raises
    ------
    DivaInputError
        If these are no sentences.
    DataError
        If transformers or the packaged weights are missing; says what to install.
    """
    if isinstance(sentences, str):
        raise DivaInputError("sentences is one text; give a list of texts.")
    texts = list(sentences)
    if not texts:
        raise DivaInputError("sentences is empty; give at least one.")
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise DivaInputError(f"sentence {place} is a {type(text).__name__}, not a text.")
    return encode_sentences(texts, device)
