"""Rooms: an analytic ray caster on the factor grid of Shapes3D, which it stands for. The images are not the originals.

One object stands in a room; a camera looks at it from an arc. Every surface is met in closed form, so that a batch of
images is a few tensor operations.
"""

import math

import torch
from torch import Tensor

from reprise.in_domain.images import Render

SHAPES = ("cube", "cylinder", "sphere", "capsule")
SKY = (0.60, 0.87, 0.96)
ROOM, WALL_HEIGHT = 3.2, 1.9
CAMERA_DISTANCE, CAMERA_HEIGHT, LOOKED_AT_HEIGHT = 5.2, 2.0, 0.75
FIELD_OF_VIEW = math.radians(50)
LIGHT = (0.45, 0.8, 0.4)
AMBIENT = 0.35
N_HUES, N_SIZES, N_AZIMUTHS = 10, 8, 15
FAR = 1e9
Hit = tuple[Tensor, Tensor]


def render_rooms(factors: Tensor, side: int = 64) -> Tensor:
    """Render rooms.

    Parameters
    ----------
    factors
        Value indices of floor hue, wall hue, object hue, size, shape, azimuth; shape (n, 6).
    side
        Pixels of a side; one ray a pixel.

    Returns
    -------
    Tensor
        uint8, shape (n, 3, side, side).
    """
    origin, direction = _rays(factors[:, 5], side)
    size = (0.75 + 0.5 * factors[:, 3].float() / (N_SIZES - 1))[:, None]
    distance = torch.full(direction.shape[:2], FAR, device=factors.device)
    colour = torch.tensor(SKY, device=factors.device).expand(*direction.shape).clone()
    surfaces = [
        (_floor(origin, direction), factors[:, 0]),
        *((hit, factors[:, 1]) for hit in _walls(origin, direction)),
        (_object(origin, direction, factors[:, 4], size), factors[:, 2]),
    ]
    light = torch.tensor(LIGHT, device=factors.device) / math.hypot(*LIGHT)
    for (met, normal), hue in surfaces:
        shade = AMBIENT + (1 - AMBIENT) * (normal * light).sum(-1).clamp_min(0)
        lit = _hue_to_rgb(hue.float() / N_HUES)[:, None, :] * shade[..., None]
        nearer = met < distance
        colour = torch.where(nearer[..., None], lit, colour)
        distance = torch.where(nearer, met, distance)
    pixels = (colour * 255).round_().clamp_(0, 255).to(torch.uint8)
    return pixels.transpose(1, 2).reshape(len(factors), 3, side, side)


def room_renderer(side: int) -> Render:
    """Return the renderer of rooms of this side."""
    return lambda factors: render_rooms(factors, side)


def _rays(azimuth: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Return the camera's place (n, 1, 3) and the unit directions through the pixels' centres (n, side², 3)."""
    angle = torch.deg2rad(-30 + 60 * azimuth.float() / (N_AZIMUTHS - 1))
    height = torch.full_like(angle, CAMERA_HEIGHT)
    origin = torch.stack([CAMERA_DISTANCE * angle.sin(), height, CAMERA_DISTANCE * angle.cos()], dim=-1)
    target = torch.tensor([0.0, LOOKED_AT_HEIGHT, 0.0], device=azimuth.device)
    forward = torch.nn.functional.normalize(target - origin, dim=-1)
    up = torch.tensor([0.0, 1.0, 0.0], device=azimuth.device).expand_as(forward)
    right = torch.nn.functional.normalize(torch.linalg.cross(forward, up), dim=-1)
    above = torch.linalg.cross(right, forward)
    place = ((torch.arange(side, device=azimuth.device) + 0.5) / side * 2 - 1) * math.tan(FIELD_OF_VIEW / 2)
    down, across = torch.meshgrid(place, place, indexing="ij")
    direction = (
        forward[:, None]
        + across.reshape(1, -1, 1) * right[:, None]
        - down.reshape(1, -1, 1) * above[:, None]
    )  # fmt: skip
    return origin[:, None], torch.nn.functional.normalize(direction, dim=-1)


def _axis(like: Tensor, *values: float) -> Tensor:
    return torch.tensor(values, device=like.device).expand_as(like)


def _valid(met: Tensor, condition: Tensor) -> Tensor:
    return torch.where(condition & (met > 1e-6), met, FAR)


def _floor(origin: Tensor, direction: Tensor) -> Hit:
    met = -origin[..., 1] / direction[..., 1]
    point = origin + met[..., None] * direction
    inside = (point[..., 0].abs() <= ROOM) & (point[..., 2] >= -ROOM)
    return _valid(met, inside), _axis(direction, 0.0, 1.0, 0.0)


def _walls(origin: Tensor, direction: Tensor) -> list[Hit]:
    """Meet the walls at the back, on the left and on the right: seen from inside only."""
    hits = []
    for axis, place, normal in ((2, -ROOM, (0.0, 0.0, 1.0)), (0, -ROOM, (1.0, 0.0, 0.0)), (0, ROOM, (-1.0, 0.0, 0.0))):
        met = (place - origin[..., axis]) / direction[..., axis]
        point = origin + met[..., None] * direction
        other = point[..., 0].abs() <= ROOM if axis == 2 else point[..., 2] >= -ROOM
        inside = other & (point[..., 1] >= 0) & (point[..., 1] <= WALL_HEIGHT)
        hits.append((_valid(met, inside), _axis(direction, *normal)))
    return hits


def _object(origin: Tensor, direction: Tensor, shape: Tensor, size: Tensor) -> Hit:
    met = torch.full(direction.shape[:2], FAR, device=direction.device)
    normal = torch.zeros_like(direction)
    for number, meet in enumerate((_cube, _cylinder, _sphere, _capsule)):
        chosen = shape == number
        if chosen.any():
            met[chosen], normal[chosen] = meet(origin[chosen], direction[chosen], size[chosen])
    return met, normal


def _cube(origin: Tensor, direction: Tensor, size: Tensor) -> Hit:
    half = 0.55 * size
    centre = torch.stack([torch.zeros_like(half), half, torch.zeros_like(half)], dim=-1)
    one, other = ((centre + sign * half[..., None] - origin) / direction for sign in (-1, 1))
    near, far = torch.minimum(one, other), torch.maximum(one, other)
    enter, axis = near.max(-1)
    normal = torch.nn.functional.one_hot(axis, 3) * -direction.sign()
    return _valid(enter, enter < far.amin(-1)), normal


def _ball(origin: Tensor, direction: Tensor, height: Tensor, radius: Tensor) -> Hit:
    centre = torch.stack([torch.zeros_like(height), height, torch.zeros_like(height)], dim=-1)
    offset = origin - centre
    b = (offset * direction).sum(-1)
    root = b.square() - offset.square().sum(-1) + radius.square()
    met = _valid(-b - root.clamp_min(0).sqrt(), root > 0)
    return met, (origin + met[..., None] * direction - centre) / radius[..., None]


def _tube(origin: Tensor, direction: Tensor, low: Tensor, high: Tensor, radius: Tensor) -> Hit:
    """Meet the side of an upright cylinder between two heights."""
    flat = torch.tensor([1.0, 0.0, 1.0], device=direction.device)
    o, d = origin * flat, direction * flat
    a, b = d.square().sum(-1), (o * d).sum(-1)
    root = b.square() - a * (o.square().sum(-1) - radius.square())
    met = (-b - root.clamp_min(0).sqrt()) / a
    point = origin + met[..., None] * direction
    inside = (root > 0) & (point[..., 1] >= low) & (point[..., 1] <= high)
    return _valid(met, inside), point * flat / radius[..., None]


def _sphere(origin: Tensor, direction: Tensor, size: Tensor) -> Hit:
    return _ball(origin, direction, 0.62 * size, 0.62 * size)


def _cylinder(origin: Tensor, direction: Tensor, size: Tensor) -> Hit:
    radius, height = 0.55 * size, 1.1 * size
    side = _tube(origin, direction, torch.zeros_like(height), height, radius)
    met = (height - origin[..., 1]) / direction[..., 1]
    point = origin + met[..., None] * direction
    inside = point[..., 0].square() + point[..., 2].square() <= radius.square()
    return _nearest(side, (_valid(met, inside), _axis(direction, 0.0, 1.0, 0.0)))


def _capsule(origin: Tensor, direction: Tensor, size: Tensor) -> Hit:
    radius, height = 0.42 * size, 1.4 * size
    side = _tube(origin, direction, radius, height - radius, radius)
    caps = _nearest(_ball(origin, direction, radius, radius), _ball(origin, direction, height - radius, radius))
    return _nearest(side, caps)


def _nearest(one: Hit, other: Hit) -> Hit:
    first = one[0] <= other[0]
    return torch.where(first, one[0], other[0]), torch.where(first[..., None], one[1], other[1])


def _hue_to_rgb(hue: Tensor) -> Tensor:
    """Return HSV(hue, 1, 1) as red, green, blue in [0, 1], shape (n, 3)."""
    offsets = torch.tensor([5.0, 3.0, 1.0], device=hue.device)
    k = torch.remainder(offsets + hue[:, None] * 6, 6)
    return 1 - torch.minimum(k, 4 - k).clamp(0, 1)
