"""ImageNet-trained 8-bit MobileNets, read from TensorFlow Lite files into torch and run in float32.

The graph is rebuilt with dequantised weights: ``real = (q − zero point) · scale``. Every output is clamped to the range
that its eight bits can express, which is where these networks keep their ReLU6. The feature of an image is the output
of the average pool in front of the classifier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from reprise.data import DataError

BITS_HIGHEST = 255


@dataclass(frozen=True)
class _Convolution:
    """A convolution with "same" padding; depthwise where ``n_groups`` > 1."""

    source: int
    target: int
    weight: Tensor
    bias: Tensor
    stride: int
    n_groups: int
    low: float
    high: float

    def __call__(self, values: dict[int, Tensor]) -> None:
        images = values[self.source]
        before_after = [
            side for size in (images.shape[3], images.shape[2]) for side in same_padding(size, self._size, self.stride)
        ]
        outputs = conv2d(pad(images, before_after), self.weight, self.bias, self.stride, groups=self.n_groups)
        values[self.target] = outputs.clamp_(self.low, self.high)

    @property
    def _size(self) -> int:
        return self.weight.shape[2]

    def multiply_adds(self, side: int) -> tuple[int, int]:
        """Return multiply-adds for an input of this side, and the side of the output."""
        side = -(-side // self.stride)
        return side * side * self.weight.numel(), side


@dataclass(frozen=True)
class _Addition:
    """The sum of a residual block."""

    sources: tuple[int, int]
    target: int
    low: float
    high: float

    def __call__(self, values: dict[int, Tensor]) -> None:
        values[self.target] = (values[self.sources[0]] + values[self.sources[1]]).clamp_(self.low, self.high)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return TensorFlow's "same" padding before and after; with stride 2 the two may differ.

    Examples
    --------
    >>> same_padding(224, 3, 2), same_padding(112, 3, 1)
    ((0, 1), (1, 1))
    """
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class MobileNet:
    """A network read from a file.

    Parameters
    ----------
    path
        A quantised MobileNet, version 1 or 2, as TensorFlow Lite file.
    device
        Where to run it.

    Attributes
    ----------
    side
        Height and width of the images that it takes, in pixels.
    n_features
        Width of the feature.
    multiply_adds
        Of one forward pass to the feature, for one image.

    Raises
    ------
    DataError
        If the package ``tflite`` is missing, or the file holds an operator that these networks do not have.
    """

    def __init__(self, path: Path, device: str | torch.device = "cpu") -> None:
        graph = _Graph(path)
        self.side, self._source = graph.side, graph.source
        self._layers = [_to_device(layer, device) for layer in graph.layers()]
        self._pooled, self._device = self._layers[-1].target, torch.device(device)
        convolutions = [layer for layer in self._layers if isinstance(layer, _Convolution)]
        self.n_features = convolutions[-1].weight.shape[0]
        self.multiply_adds, side = 0, self.side
        for layer in convolutions:
            cost, side = layer.multiply_adds(side)
            self.multiply_adds += cost

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Return the features of images.

        Parameters
        ----------
        images
            RGB bytes, uint8 of shape (n, side, side, 3).

        Returns
        -------
        Tensor
            float32, (n, n_features).
        """
        scaled = (images.to(self._device, torch.float32) - 128) / 128
        values = {self._source: scaled.permute(0, 3, 1, 2)}
        for layer in self._layers:
            layer(values)
        return values[self._pooled].mean((2, 3))


def _to_device(layer: Any, device: str | torch.device) -> Any:
    if isinstance(layer, _Addition):
        return layer
    moved = {"weight": layer.weight.to(device), "bias": layer.bias.to(device)}
    return _Convolution(**{**vars(layer), **moved})


class _Graph:
    """The operators of a file, up to the average pool."""

    def __init__(self, path: Path) -> None:
        try:
            import tflite
        except ImportError as error:
            raise DataError(
                "reading MobileNets needs the package tflite (2.18), which is not installed: pip install tflite."
            ) from error
        self._path, self._tflite = path, tflite
        self._model = tflite.Model.GetRootAs(path.read_bytes(), 0)
        self._subgraph = self._model.Subgraphs(0)
        self.source = int(self._subgraph.Inputs(0))
        self.side = int(self._tensor(self.source).ShapeAsNumpy()[1])

    def layers(self) -> Iterator[_Convolution | _Addition]:
        operators = self._tflite.BuiltinOperator
        readers: dict[int, Callable[[Any], _Convolution | _Addition]] = {
            operators.CONV_2D: partial(self._convolution, depthwise=False),
            operators.DEPTHWISE_CONV_2D: partial(self._convolution, depthwise=True),
            operators.ADD: self._addition,
        }
        for number in range(self._subgraph.OperatorsLength()):
            operator = self._subgraph.Operators(number)
            opcode = self._model.OperatorCodes(operator.OpcodeIndex())
            code = max(opcode.BuiltinCode(), opcode.DeprecatedBuiltinCode())
            if code == operators.AVERAGE_POOL_2D:
                return
            if code not in readers:
                raise DataError(f"{self._path.name} has operator {code}, which no MobileNet needs; use another file.")
            yield readers[code](operator)

    def _convolution(self, operator: Any, *, depthwise: bool) -> _Convolution:
        tflite = self._tflite
        options = tflite.DepthwiseConv2DOptions() if depthwise else tflite.Conv2DOptions()
        table = operator.BuiltinOptions()
        options.Init(table.Bytes, table.Pos)
        source, kernel, bias = (int(operator.Inputs(place)) for place in range(3))
        # A file has (out, height, width, in), depthwise (1, height, width, channels).
        order = (3, 0, 1, 2) if depthwise else (0, 3, 1, 2)
        weight = torch.from_numpy(self._real(kernel).transpose(order).copy())
        target = int(operator.Outputs(0))
        low, high = self._range(target)
        return _Convolution(
            source=source,
            target=target,
            weight=weight,
            bias=torch.from_numpy(self._real(bias)),
            stride=int(options.StrideH()),
            n_groups=weight.shape[0] if depthwise else 1,
            low=low,
            high=high,
        )

    def _addition(self, operator: Any) -> _Addition:
        target = int(operator.Outputs(0))
        low, high = self._range(target)
        return _Addition((int(operator.Inputs(0)), int(operator.Inputs(1))), target, low, high)

    def _tensor(self, number: int) -> Any:
        return self._subgraph.Tensors(number)

    def _scale(self, number: int) -> tuple[float, int]:
        quantisation = self._tensor(number).Quantization()
        return float(quantisation.Scale(0)), int(quantisation.ZeroPoint(0))

    def _real(self, number: int) -> np.ndarray:
        tensor = self._tensor(number)
        kind = np.int32 if tensor.Type() == self._tflite.TensorType.INT32 else np.uint8
        stored = self._model.Buffers(tensor.Buffer()).DataAsNumpy().view(kind).reshape(tensor.ShapeAsNumpy())
        scale, zero_point = self._scale(number)
        return ((stored.astype(np.float64) - zero_point) * scale).astype(np.float32)

    def _range(self, number: int) -> tuple[float, float]:
        scale, zero_point = self._scale(number)
        return (0 - zero_point) * scale, (BITS_HIGHEST - zero_point) * scale
