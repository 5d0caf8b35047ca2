"""Readers of the original data sets, for those who have the files: dSprites, Shapes3D, MPI3D.

The renderers of this chapter need none of them. Each reader checks shape, type and count, and says what it expected.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reprise.data.readers import load_npz
from reprise.in_domain.grid import GRIDS

SOURCES = {
    "dsprites": "https://github.com/google-deepmind/dsprites-dataset (dsprites_ndarray_*.npz)",
    "shapes3d": "https://console.cloud.google.com/storage/browser/3d-shapes (3dshapes.h5)",
    "mpi3d": "https://huggingface.co/datasets/waleedgondal/mpi3d (mpi3d_real.npz)",
}


def read_original(name: str, path: str | Path) -> NDArray[np.uint8]:
    """Read an original data set.

    Parameters
    ----------
    name
        ``"dsprites"``, ``"shapes3d"`` or ``"mpi3d"``.
    path
        Its file, as published.

    Returns
    -------
    numpy.ndarray
        uint8 images in grid order, values from 0 to 255, shape (n, channels, 64, 64).

    Raises
    ------
    ValueError
        If the name is unknown, the file is missing, or holds other images.
    """
    if name not in SOURCES:
        raise ValueError(f"no original named {name!r}; known: {', '.join(SOURCES)}.")
    file = Path(path)
    if not file.is_file():
        raise ValueError(f"{name} is not at {file}; get it from {SOURCES[name]}. The rendered data sets need no file.")
    if name == "shapes3d":
        images = _read_hdf5(file)
    else:
        content = load_npz(file)
        key = "imgs" if name == "dsprites" else "images"
        if key not in content:
            raise ValueError(f"{file} holds {sorted(content)}; {name} has an array {key!r} ({SOURCES[name]}).")
        images = content[key]
    return as_grid_images(name, images, file)


def as_grid_images(name: str, images: NDArray[np.uint8], file: str | Path = "the array") -> NDArray[np.uint8]:
    """Check the images of an original and put channels first; dSprites' 0 and 1 become 0 and 255."""
    grid, channels = GRIDS[name], 1 if name == "dsprites" else 3
    images = images.reshape(-1, *images.shape[-3:]) if channels == 3 else images
    expected = (len(grid), 64, 64) if channels == 1 else (len(grid), 64, 64, 3)
    if images.shape != expected or images.dtype != np.uint8:
        raise ValueError(f"{file} holds {images.dtype} images of shape {images.shape}; {name} has uint8 {expected}.")
    if channels == 3:
        return np.moveaxis(images, -1, 1)
    if images.max() > 1:
        raise ValueError(f"{file}: dSprites' pixels are 0 or 1, found {int(images.max())}.")
    return images[:, None] * np.uint8(255)


def _read_hdf5(file: Path) -> NDArray[np.uint8]:
    try:
        import h5py
    except ImportError as error:
        raise ValueError("Shapes3D is an HDF5 file; reading it needs h5py: pip install h5py.") from error
    with h5py.File(file) as content:
        if "images" not in content:
            raise ValueError(f"{file} holds {sorted(content)}; Shapes3D has an array 'images'.")
        return np.asarray(content["images"])
