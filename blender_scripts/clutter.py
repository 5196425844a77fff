"""A cluttered room made up from a seed, seen sharply and consistently through real cameras.

A box of a room with furniture along its walls and things on the furniture, all boxes, balls and cylinders with painted
surfaces, cast ray by ray in compiled loops. It is lit as the hand is: the irradiance of the panorama and the lamps in
spherical harmonics (Ramamoorthi & Hanrahan 2001), darkened towards corners and below things.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numba
import numpy as np

from .colour import srgb_to_linear
from .exposure import light_on, sphere
from .look import Lamp
from .textures import SIZE, paint_textures

BOX, BALL, CYLINDER = 0, 1, 2
_LEVELS = 6  # of the textures' mip maps
_LINEAR = srgb_to_linear(np.arange(256, dtype=np.uint8))  # linear light of the textures' levels
_REPEAT = 0.7  # metres, of the walls' textures
_NEAR = 0.05  # metres, what is nearer to the camera's plane is not drawn
_CONTACT = 0.2  # metres, how far a thing shades the wall it touches
_WALLS = ("plaster", "plaster", "bricks", "stripes", "tiles", "books", "wood")
_FLOORS = ("wood", "carpet", "tiles", "plaid")
_THINGS = (
    "poster", "label", "label", "books", "page", "plastic", "plastic", "cloth", "plaid", "wood", "leaves", "poster",
)  # fmt: skip
_KIND, _X, _Y, _Z, _HX, _HY, _HZ, _COS, _SIN, _TEXTURE, _RED, _GREEN, _BLUE = range(13)  # columns of Room.objects


@dataclass(frozen=True)
class Room:
    """The room is the box -half..half about `centre`, turned by `turn` (cosine, sine) about +z, as every object is."""

    objects: np.ndarray  # (N, 13) float64, columns as above; the first is the room itself
    wall_textures: np.ndarray  # (6,) int32: -x, +x, -y, +y, floor, ceiling
    textures: np.ndarray  # (T, 256, 512, 3) uint8 sRGB, mip levels side by side
    harmonics: np.ndarray  # (3, 9) irradiance / pi
    window: np.ndarray  # (3,) world, metres: where the room is brightest


def light_room(room: Room, light: np.ndarray, lamps: tuple[Lamp, ...]) -> Room:
    """The room under the panorama `light` (64, 128, 3) and the lamps that also light the hand."""
    return replace(room, harmonics=_harmonics(light, lamps))


@lru_cache(maxsize=1)  # the two samples of a pair share their room
def build_room(seed: int, reach: float = 1.0) -> Room:
    """Make up a room around the origin, evenly lit; `reach` is the distance in metres to the farthest camera."""
    rng = np.random.default_rng(seed)
    kinds = (*rng.choice(_WALLS, 4), rng.choice(_FLOORS), "plaster", *_THINGS)
    textures = _mip_maps(paint_textures(rng, kinds))
    half = np.array([rng.uniform(1.3, 2.6), rng.uniform(1.3, 2.6), rng.uniform(1.1, 1.5)]) * max(1.0, reach / 0.8)
    angle = rng.uniform(0, 2 * np.pi)
    turn = (np.cos(angle), np.sin(angle))
    centre = rng.uniform(-0.25, 0.25, 3) * half
    objects = [np.array([BOX, *centre, *half, *turn, 0, 1, 1, 1])]
    objects += [_place(local, centre, turn) for local in _furnish(rng, half, len(kinds))]
    window = _place((BOX, rng.uniform(-0.9, 0.9, 3) * half, half, 0.0, 0, np.ones(3)), centre, turn)[_X : _Z + 1]
    walls = np.arange(6, dtype=np.int32)
    return Room(np.array(objects), walls, textures, np.eye(3, 9)[[0, 0, 0]], window)


def view_room(room: Room, K: np.ndarray, world_to_cam: np.ndarray, width: int, height: int) -> np.ndarray:
    """The room through a camera: (height, width, 3) float32 linear light."""
    rotation = np.ascontiguousarray(world_to_cam[:3, :3])
    position = -rotation.T @ world_to_cam[:3, 3]
    return _cast(room.objects, room.wall_textures, room.textures, room.harmonics, room.window,
                 np.ascontiguousarray(K), rotation, position, width, height)  # fmt: skip


def _furnish(rng: np.random.Generator, half: np.ndarray, textures: int) -> list[tuple]:
    """Furniture and things in the room's frame: tuples (kind, centre, half, angle, texture, tint)."""
    things = range(6, textures)
    boards = tuple(6 + _THINGS.index(kind) for kind in ("wood", "plastic"))
    flats = tuple(6 + index for index, kind in enumerate(_THINGS) if kind in ("poster", "page", "leaves"))
    found: list[tuple] = []

    def thing(x, y, floor, size):
        kind = int(rng.choice([BOX, BOX, BOX, CYLINDER, CYLINDER, BALL]))
        extent = size * rng.uniform(0.35, 1.0, 3) * (1, 1, 1.6)
        extent[1:2] = extent[:1] if kind != BOX else extent[1:2]
        extent = np.full(3, extent[0]) if kind == BALL else extent
        tint = rng.uniform(0.45, 1.1) * (1 + rng.uniform(-0.15, 0.15, 3))
        found.append((kind, (x, y, floor + extent[2]), extent, rng.uniform(0, np.pi), int(rng.choice(things)), tint))

    def board(x, y, top, extent, texture):
        found.append((BOX, (x, y, top - extent[2]), extent, 0.0, texture, np.full(3, rng.uniform(0.4, 1.0))))
        for _ in range(int(rng.integers(4, 6 + 14 * max(extent[0], extent[1])))):
            at = rng.uniform(-0.92, 0.92, 2) * extent[:2]
            thing(x + at[0], y + at[1], top, rng.uniform(0.03, 0.13))

    for wall in range(4):
        axis, side = wall // 2, (-1, 1)[wall % 2]
        depth, length = rng.uniform(0.12, 0.3), half[1 - axis] * rng.uniform(0.4, 0.95)
        along = rng.uniform(-1, 1) * (half[1 - axis] - length)
        extent = np.array([depth, length, 0.015]) if axis == 0 else np.array([length, depth, 0.015])
        at = np.zeros(2)
        at[axis], at[1 - axis] = side * (half[axis] - depth), along
        for top in np.arange(-half[2] + rng.uniform(0.2, 0.5), half[2] - 0.3, rng.uniform(0.35, 0.7)):
            board(at[0], at[1], top, extent, int(rng.choice(boards, p=(0.7, 0.3))))
        for _ in range(int(rng.integers(3, 8))):
            frame, flat = rng.uniform(0.1, 0.4, 3), np.zeros(2)
            frame[axis] = 0.01
            flat[axis], flat[1 - axis] = side * (half[axis] - 0.01), rng.uniform(-0.9, 0.9) * half[1 - axis]
            place = (flat[0], flat[1], rng.uniform(-0.6, 0.8) * half[2])
            bright = 4.0 if rng.random() < 0.12 else 1.0  # a window or a screen
            found.append((BOX, place, frame, 0.0, int(rng.choice(flats)), np.full(3, bright)))
    for _ in range(60):
        spot = rng.uniform(-0.9, 0.9, 2) * half[:2]
        if np.hypot(*spot) > 0.3 * half[:2].min():
            thing(spot[0], spot[1], -half[2], rng.uniform(0.05, 0.3))
    for _ in range(10):
        spot = rng.uniform(-0.9, 0.9, 2) * half[:2]
        found.append((BOX, (*spot, half[2] - 0.02), rng.uniform((0.1, 0.1, 0.02), (0.5, 0.2, 0.1)), 0.0,
                      int(rng.choice(things)), np.full(3, 3.0 if rng.random() < 0.3 else 0.8)))  # fmt: skip
    return found


def _place(local: tuple, centre: np.ndarray, turn: tuple[float, float]) -> np.ndarray:
    """Bring an object from the room's frame into the world: a row of Room.objects."""
    kind, (x, y, z), half, angle, texture, tint = local
    (c, s), own_c, own_s = turn, np.cos(angle), np.sin(angle)
    position = centre + (c * x - s * y, s * x + c * y, z)
    return np.array([kind, *position, *half, c * own_c - s * own_s, s * own_c + c * own_s, texture, *tint])


def _mip_maps(textures: np.ndarray) -> np.ndarray:
    """Lay the mip levels of textures (T, 256, 256, 3) side by side: (T, 256, 512, 3)."""
    atlas = np.zeros((len(textures), SIZE, 2 * SIZE, 3), np.uint8)
    for page, texture in zip(atlas, textures):
        left = 0
        for level in range(_LEVELS):
            size = SIZE >> level
            page[:size, left : left + size] = cv2.resize(texture, (size, size), interpolation=cv2.INTER_AREA)
            left += size
    return atlas


def _harmonics(light: np.ndarray, lamps: tuple[Lamp, ...]) -> np.ndarray:
    """Fit the irradiance over pi with nine spherical harmonics: (3, 9)."""
    normals = sphere(64)
    total = light_on(normals, lamps, light)
    x, y, z = normals.T
    basis = np.stack([np.ones_like(x), x, y, z, x * y, y * z, z * x, x * x - y * y, 3 * z * z - 1], 1)
    return np.ascontiguousarray(np.linalg.lstsq(basis, total / np.pi, rcond=None)[0].T)


_compiled = numba.njit(cache=True, nogil=True, error_model="numpy")


@_compiled
def first_surfaces(objects, K, rotation, position, width, height):
    """Planar depth (H, W) of the first surface at each pixel's centre, and the row (H, W) of the object it is of."""
    depth = np.full((height, width), np.inf)
    owner = np.zeros((height, width), np.int32)
    nearest = -(rotation[2, 0] * position[0] + rotation[2, 1] * position[1] + rotation[2, 2] * position[2])
    for index in range(1, len(objects)):
        item = objects[index]
        left, right, top, bottom = _window(item, position, 0.0, K, rotation, width, height)
        _draw(depth, owner, index, item[_KIND], item[_HX], item[_HY], item[_HZ], item[_COS], item[_SIN],
              position[0] - item[_X], position[1] - item[_Y], position[2] - item[_Z],
              nearest, K, rotation, left, right, top, bottom)  # fmt: skip
    for row in range(height):
        for column in range(width):
            if owner[row, column] == 0:
                depth[row, column] = _leave(objects[0], position, _ray(row, column, K, rotation))
    return depth, owner


@_compiled
def _cast(objects, wall_textures, textures, harmonics, window, K, rotation, position, width, height):
    depth, owner = first_surfaces(objects, K, rotation, position, width, height)
    dark = np.ones((height, width), np.float32)
    for index in range(1, len(objects)):
        item = objects[index]
        if max(item[_HX], item[_HY], item[_HZ]) < 1.0:
            _darken(dark, depth, owner, item, position, K, rotation)
    image = np.zeros((height, width, 3), np.float32)
    for row in range(height):
        for column in range(width):
            if depth[row, column] < np.inf:
                _shade(image, row, column, objects, owner[row, column], dark[row, column], wall_textures, textures,
                       harmonics, window, position, _ray(row, column, K, rotation), depth[row, column],
                       depth[row, column] / K[0, 0])  # fmt: skip
    return image


@_compiled
def _darken(dark, depth, owner, item, position, K, rotation):
    """Shadow on walls and floor beside a thing that touches them."""
    height, width = dark.shape
    left, right, top, bottom = _window(item, position, _CONTACT, K, rotation, width, height)
    c, s = item[_COS], item[_SIN]
    for row in range(top, bottom):
        for column in range(left, right):
            if owner[row, column] != 0:
                continue
            ray, t = _ray(row, column, K, rotation), depth[row, column]
            x, y = position[0] + t * ray[0] - item[_X], position[1] + t * ray[1] - item[_Y]
            gz = max(abs(position[2] + t * ray[2] - item[_Z]) - item[_HZ], 0.0)
            gx, gy = max(abs(c * x + s * y) - item[_HX], 0.0), max(abs(-s * x + c * y) - item[_HY], 0.0)
            gap = gx * gx + gy * gy + gz * gz
            if gap < _CONTACT * _CONTACT:
                dark[row, column] *= 1 - 0.55 * (1 - np.sqrt(gap) / _CONTACT) ** 3


@_compiled
def _ray(row, column, K, rotation):
    """World direction through a pixel's centre, of planar depth 1."""
    x, y = (column + 0.5 - K[0, 2]) / K[0, 0], (row + 0.5 - K[1, 2]) / K[1, 1]
    return (
        rotation[0, 0] * x + rotation[1, 0] * y + rotation[2, 0],
        rotation[0, 1] * x + rotation[1, 1] * y + rotation[2, 1],
        rotation[0, 2] * x + rotation[1, 2] * y + rotation[2, 2],
    )


@_compiled
def _corner_in_camera(item, corner, margin, position, rotation):
    """Camera coordinates of one of the eight corners of an object's box."""
    a = (item[_HX] + margin) * (1.0 if corner & 1 else -1.0)
    b = (item[_HY] + margin) * (1.0 if corner & 2 else -1.0)
    x = item[_X] + item[_COS] * a - item[_SIN] * b - position[0]
    y = item[_Y] + item[_SIN] * a + item[_COS] * b - position[1]
    z = item[_Z] + (item[_HZ] + margin) * (1.0 if corner & 4 else -1.0) - position[2]
    return (
        rotation[0, 0] * x + rotation[0, 1] * y + rotation[0, 2] * z,
        rotation[1, 0] * x + rotation[1, 1] * y + rotation[1, 2] * z,
        rotation[2, 0] * x + rotation[2, 1] * y + rotation[2, 2] * z,
    )


@_compiled
def _window(item, position, margin, K, rotation, width, height):
    """Pixels that an object may cover, from the edges of its box before the camera: left, right, top, bottom."""
    left, right, top, bottom = np.inf, -np.inf, np.inf, -np.inf
    for corner in range(8):
        first = _corner_in_camera(item, corner, margin, position, rotation)
        for axis in range(3):
            x, y, z = first
            if z < _NEAR:  # take the point where the edge to the next corner comes before the camera
                second = _corner_in_camera(item, corner ^ (1 << axis), margin, position, rotation)
                if second[2] <= _NEAR:
                    continue
                share = (_NEAR - z) / (second[2] - z)
                x, y, z = x + share * (second[0] - x), y + share * (second[1] - y), _NEAR
            column, line = x / z * K[0, 0] + K[0, 2], y / z * K[1, 1] + K[1, 2]
            left, right, top, bottom = min(left, column), max(right, column), min(top, line), max(bottom, line)
    left, top = min(max(left, 0.0), float(width)), min(max(top, 0.0), float(height))
    right, bottom = min(max(right + 1, 0.0), float(width)), min(max(bottom + 1, 0.0), float(height))
    return int(left), int(right), int(top), int(bottom)


@_compiled
def _draw(depth, owner, index, kind, hx, hy, hz, c, s, px, py, oz, nearest, K, rotation, left, right, top, bottom):
    """Enter one object into the depth buffer; what begins before `nearest` is left out."""
    ox, oy = c * px + s * py, -s * px + c * py
    for row in range(top, bottom):
        for column in range(left, right):
            ray = _ray(row, column, K, rotation)
            dx, dy, dz = c * ray[0] + s * ray[1], -s * ray[0] + c * ray[1], ray[2]
            if kind == BOX:
                enter, leave = _slab(ox, dx, hx)
                y0, y1 = _slab(oy, dy, hy)
                z0, z1 = _slab(oz, dz, hz)
                enter, leave = max(enter, y0, z0), min(leave, y1, z1)
            else:
                enter, leave = _round(ox, oy, oz, dx, dy, dz, hx, kind == BALL)
                if kind == CYLINDER:
                    z0, z1 = _slab(oz, dz, hz)
                    enter, leave = max(enter, z0), min(leave, z1)
            if nearest < enter <= leave and enter < depth[row, column]:
                depth[row, column] = enter
                owner[row, column] = index


@_compiled
def _slab(origin, step, half):
    """Where a ray enters and leaves -half..half along one axis."""
    inverse = 1.0 / (step if abs(step) > 1e-12 else 1e-12)
    first, second = (-half - origin) * inverse, (half - origin) * inverse
    return min(first, second), max(first, second)


@_compiled
def _round(ox, oy, oz, dx, dy, dz, radius, ball):
    """Where a ray enters and leaves a ball, or an endless cylinder along z."""
    if not ball:
        oz, dz = 0.0, 0.0
    a, b = dx * dx + dy * dy + dz * dz, ox * dx + oy * dy + oz * dz
    root = b * b - a * (ox * ox + oy * oy + oz * oz - radius * radius)
    if root < 0 or a < 1e-12:
        return np.inf, -np.inf
    root = np.sqrt(root)
    return (-b - root) / a, (-b + root) / a


@_compiled
def _local(item, position, ray):
    """Origin and direction of a ray in an object's own frame."""
    c, s = item[_COS], item[_SIN]
    x, y = position[0] - item[_X], position[1] - item[_Y]
    return (
        c * x + s * y, -s * x + c * y, position[2] - item[_Z],
        c * ray[0] + s * ray[1], -s * ray[0] + c * ray[1], ray[2],
    )  # fmt: skip


@_compiled
def _leave(item, position, ray):
    """Depth of the inside of the room's walls."""
    ox, oy, oz, dx, dy, dz = _local(item, position, ray)
    x0, x1 = _slab(ox, dx, item[_HX])
    y0, y1 = _slab(oy, dy, item[_HY])
    z0, z1 = _slab(oz, dz, item[_HZ])
    return min(x1, y1, z1) if max(x0, y0, z0) <= min(x1, y1, z1) else np.inf


@_compiled
def _shade(
    image, row, column, objects, index, dark, wall_textures, textures, harmonics, window,
    position, ray, t, footprint,
):  # fmt: skip
    item = objects[index]
    ox, oy, oz, dx, dy, dz = _local(item, position, ray)
    x, y, z = (ox + t * dx) / item[_HX], (oy + t * dy) / item[_HY], (oz + t * dz) / item[_HZ]
    texture, nx, ny, nz, u, v, size = int(item[_TEXTURE]), 0.0, 0.0, 0.0, 0.0, 0.0, 1.0
    inside = -1.0 if index == 0 else 1.0
    if item[_KIND] == BALL or (item[_KIND] == CYLINDER and abs(z) < 0.99999):
        nx, ny, nz = x, y, z if item[_KIND] == BALL else 0.0
        u, v, size = np.arctan2(y, x) / np.pi, z * 0.5, 2 * item[_HX]
    elif abs(x) >= abs(y) and abs(x) >= abs(z) and item[_KIND] == BOX:
        nx, u, v, size = np.sign(x) * inside, y * 0.5, z * 0.5, 2 * item[_HZ]
        texture = wall_textures[0 if x < 0 else 1] if index == 0 else texture
    elif abs(y) >= abs(z) and item[_KIND] == BOX:
        ny, u, v, size = np.sign(y) * inside, x * 0.5, z * 0.5, 2 * item[_HZ]
        texture = wall_textures[2 if y < 0 else 3] if index == 0 else texture
    else:
        nz, u, v, size = np.sign(z) * inside, x * 0.5, y * 0.5, 2 * item[_HY]
        texture = wall_textures[4 if z < 0 else 5] if index == 0 else texture
    if index == 0:  # walls repeat their texture
        u, v = u * 2 * (item[_HY] if nx != 0 else item[_HX]) / _REPEAT, v * size / _REPEAT
        size = _REPEAT
        dark *= _corner(x, y, z, item[_HX], item[_HY], item[_HZ])
    else:
        dark = 0.6 + 0.4 * min(1.0, (z + 1) * 0.5 * item[_HZ] / 0.05)
    c, s = item[_COS], item[_SIN]
    wx, wy = c * nx - s * ny, s * nx + c * ny
    near, shine = _from_window(window, position, ray, t, wx, wy, nz)
    level, texels = 0, footprint / size * SIZE * 0.7
    while texels > 1 and level < _LEVELS - 1:
        level, texels = level + 1, texels / 2
    albedo = _sample(textures, texture, level, u + 0.5, 0.5 - v)
    for k in range(3):
        lit = harmonics[k, 0] + harmonics[k, 1] * wx + harmonics[k, 2] * wy + harmonics[k, 3] * nz
        lit += harmonics[k, 4] * wx * wy + harmonics[k, 5] * wy * nz + harmonics[k, 6] * nz * wx
        lit += harmonics[k, 7] * (wx * wx - wy * wy) + harmonics[k, 8] * (3 * nz * nz - 1)
        lit = max(lit, 0.1 * harmonics[k, 0]) * near * item[_RED + k]
        image[row, column, k] = (lit * albedo[k] + shine * harmonics[k, 0]) * dark


@_compiled
def _from_window(window, position, ray, t, nx, ny, nz):
    """How much brighter a point is for facing and being near a window, and the window's gloss on it (Blinn 1977)."""
    x, y, z = (window[0] - position[0] - t * ray[0], window[1] - position[1] - t * ray[1],
               window[2] - position[2] - t * ray[2])  # fmt: skip
    distance = np.sqrt(x * x + y * y + z * z) + 1e-9
    x, y, z = x / distance, y / distance, z / distance
    length = np.sqrt(ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2])
    facing = max(0.0, nx * x + ny * y + nz * z)
    hx, hy, hz = x - ray[0] / length, y - ray[1] / length, z - ray[2] / length
    half = max(0.0, nx * hx + ny * hy + nz * hz) / (np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9)
    falloff = 1.6 / (0.6 + distance * distance)
    shine = 0.35 * half**60 * min(falloff, 1.5) if half > 0.9 else 0.0
    return 0.55 + 0.4 * falloff + 1.1 * facing * falloff, shine


@_compiled
def _sample(textures, texture, level, u, v):
    """Bilinear look-up in a mip level, repeated in both directions: three values."""
    size, left = SIZE >> level, (2 * SIZE - (2 * SIZE >> level))  # levels lie side by side
    x, y = u * size - 0.5, v * size - 0.5
    column, row = int(np.floor(x)), int(np.floor(y))
    fx, fy = x - column, y - row
    c0, c1, r0, r1 = column & (size - 1), (column + 1) & (size - 1), row & (size - 1), (row + 1) & (size - 1)
    c0, c1 = c0 + left, c1 + left
    a, b, c, d = (1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy
    page = textures[texture]
    p, q, r, s = page[r0, c0], page[r0, c1], page[r1, c0], page[r1, c1]
    return (
        a * _LINEAR[p[0]] + b * _LINEAR[q[0]] + c * _LINEAR[r[0]] + d * _LINEAR[s[0]],
        a * _LINEAR[p[1]] + b * _LINEAR[q[1]] + c * _LINEAR[r[1]] + d * _LINEAR[s[1]],
        a * _LINEAR[p[2]] + b * _LINEAR[q[2]] + c * _LINEAR[r[2]] + d * _LINEAR[s[2]],
    )


@_compiled
def _corner(x, y, z, hx, hy, hz):
    """Walls are darker towards their edges."""
    dark = 1.0
    for along, extent in ((x, hx), (y, hy), (z, hz)):
        gap = (1 - abs(along)) * extent
        if gap > 1e-6:
            dark *= 1 - 0.4 / (1 + (gap / 0.15) ** 2)
    return dark
