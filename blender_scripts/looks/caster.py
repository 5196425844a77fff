"""Casts a cluttered room through a camera, ray by ray, in compiled loops: depth, shadows, shading."""

from __future__ import annotations

import numba
import numpy as np

from .colour import srgb_to_linear
from .textures import SIZE

BOX, BALL, CYLINDER = 0, 1, 2
KIND, X, Y, Z, HX, HY, HZ, COS, SIN, TEXTURE, RED, GREEN, BLUE = range(13)  # columns of clutter.Room.objects
LEVELS = 6  # of the textures' mip maps
_LINEAR = srgb_to_linear(np.arange(256, dtype=np.uint8))  # linear light of the textures' levels
_REPEAT = 0.7  # metres, of the walls' textures
_NEAR = 0.05  # metres, what is nearer to the camera's plane is not drawn
_CONTACT = 0.2  # metres, how far a thing shades what is beside it
_SHADOW = 0.5  # share of the light that a thing takes from what lies in its shadow

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
        _draw(depth, owner, index, item[KIND], item[HX], item[HY], item[HZ], item[COS], item[SIN],
              position[0] - item[X], position[1] - item[Y], position[2] - item[Z],
              nearest, K, rotation, left, right, top, bottom)  # fmt: skip
    for row in range(height):
        for column in range(width):
            if owner[row, column] == 0:
                depth[row, column] = _leave(objects[0], position, _ray(row, column, K, rotation))
    return depth, owner


@_compiled
def cast(objects, wall_textures, textures, harmonics, window, K, rotation, position, width, height):
    """The shaded room (H, W, 3) float32, linear light; arrays as in clutter.Room, rotation world to camera."""
    depth, owner = first_surfaces(objects, K, rotation, position, width, height)
    dark = np.ones((height, width), np.float32)
    for index in range(1, len(objects)):
        item = objects[index]
        if max(item[HX], item[HY], item[HZ]) < 1.0:
            _darken(dark, depth, owner, index, item, window, position, K, rotation)
    image = np.zeros((height, width, 3), np.float32)
    for row in range(height):
        for column in range(width):
            if depth[row, column] < np.inf:
                _shade(image, row, column, objects, owner[row, column], dark[row, column], wall_textures, textures,
                       harmonics, window, position, _ray(row, column, K, rotation), depth[row, column],
                       depth[row, column] / K[0, 0])  # fmt: skip
    return image


@_compiled
def _darken(dark, depth, owner, index, item, window, position, K, rotation):
    """Shade what lies close to a thing, and more where the thing is before the window."""
    height, width = dark.shape
    reach = min(_CONTACT, 2.5 * max(item[HX], item[HY], item[HZ]))
    left, right, top, bottom = _window(item, position, reach, K, rotation, width, height)
    wx, wy, wz = window[0] - item[X], window[1] - item[Y], window[2] - item[Z]
    c, s = item[COS], item[SIN]
    wx, wy = c * wx + s * wy, -s * wx + c * wy
    thin = 0.7 * min(item[HX], item[HY], item[HZ]) + 0.01
    for row in range(top, bottom):
        for column in range(left, right):
            if owner[row, column] == index:
                continue
            ray, t = _ray(row, column, K, rotation), depth[row, column]
            x, y = position[0] + t * ray[0] - item[X], position[1] + t * ray[1] - item[Y]
            x, y, z = c * x + s * y, -s * x + c * y, position[2] + t * ray[2] - item[Z]
            gx, gy, gz = max(abs(x) - item[HX], 0.0), max(abs(y) - item[HY], 0.0), max(abs(z) - item[HZ], 0.0)
            gap = np.sqrt(gx * gx + gy * gy + gz * gz)
            if gap < reach:
                close = 1 - gap / reach
                chord = _chord(item, x, y, z, wx - x, wy - y, wz - z)
                cast_shadow = _SHADOW * min(chord / thin, 1.0) * min(2 * close, 1.0)
                dark[row, column] *= (1 - 0.4 * close**3) * (1 - cast_shadow)


@_compiled
def _chord(item, x, y, z, dx, dy, dz):
    """Length within an object's box of the way from (x, y, z) along (dx, dy, dz), in its own frame."""
    x0, x1 = _slab(x, dx, item[HX])
    y0, y1 = _slab(y, dy, item[HY])
    z0, z1 = _slab(z, dz, item[HZ])
    return max(0.0, min(x1, y1, z1, 1.0) - max(x0, y0, z0, 0.0)) * np.sqrt(dx * dx + dy * dy + dz * dz)


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
    a = (item[HX] + margin) * (1.0 if corner & 1 else -1.0)
    b = (item[HY] + margin) * (1.0 if corner & 2 else -1.0)
    x = item[X] + item[COS] * a - item[SIN] * b - position[0]
    y = item[Y] + item[SIN] * a + item[COS] * b - position[1]
    z = item[Z] + (item[HZ] + margin) * (1.0 if corner & 4 else -1.0) - position[2]
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
    c, s = item[COS], item[SIN]
    x, y = position[0] - item[X], position[1] - item[Y]
    return (
        c * x + s * y, -s * x + c * y, position[2] - item[Z],
        c * ray[0] + s * ray[1], -s * ray[0] + c * ray[1], ray[2],
    )  # fmt: skip


@_compiled
def _leave(item, position, ray):
    """Depth of the inside of the room's walls."""
    ox, oy, oz, dx, dy, dz = _local(item, position, ray)
    x0, x1 = _slab(ox, dx, item[HX])
    y0, y1 = _slab(oy, dy, item[HY])
    z0, z1 = _slab(oz, dz, item[HZ])
    return min(x1, y1, z1) if max(x0, y0, z0) <= min(x1, y1, z1) else np.inf


@_compiled
def _shade(
    image, row, column, objects, index, dark, wall_textures, textures, harmonics, window,
    position, ray, t, footprint,
):  # fmt: skip
    item = objects[index]
    ox, oy, oz, dx, dy, dz = _local(item, position, ray)
    x, y, z = (ox + t * dx) / item[HX], (oy + t * dy) / item[HY], (oz + t * dz) / item[HZ]
    texture, nx, ny, nz, u, v, size = int(item[TEXTURE]), 0.0, 0.0, 0.0, 0.0, 0.0, 1.0
    inside = -1.0 if index == 0 else 1.0
    if item[KIND] == BALL or (item[KIND] == CYLINDER and abs(z) < 0.99999):
        nx, ny, nz = x, y, z if item[KIND] == BALL else 0.0
        u, v, size = np.arctan2(y, x) / np.pi, z * 0.5, 2 * item[HX]
    elif abs(x) >= abs(y) and abs(x) >= abs(z) and item[KIND] == BOX:
        nx, u, v, size = np.sign(x) * inside, y * 0.5, z * 0.5, 2 * item[HZ]
        texture = wall_textures[0 if x < 0 else 1] if index == 0 else texture
    elif abs(y) >= abs(z) and item[KIND] == BOX:
        ny, u, v, size = np.sign(y) * inside, x * 0.5, z * 0.5, 2 * item[HZ]
        texture = wall_textures[2 if y < 0 else 3] if index == 0 else texture
    else:
        nz, u, v, size = np.sign(z) * inside, x * 0.5, y * 0.5, 2 * item[HY]
        texture = wall_textures[4 if z < 0 else 5] if index == 0 else texture
    if index == 0:  # walls repeat their texture
        u, v = u * 2 * (item[HY] if nx != 0 else item[HX]) / _REPEAT, v * size / _REPEAT
        size = _REPEAT
        dark *= _corner(x, y, z, item[HX], item[HY], item[HZ])
    else:
        dark *= 0.6 + 0.4 * min(1.0, (z + 1) * 0.5 * item[HZ] / 0.05)
    c, s = item[COS], item[SIN]
    wx, wy = c * nx - s * ny, s * nx + c * ny
    near, shine = _from_window(window, position, ray, t, wx, wy, nz)
    level, texels = 0, footprint / size * SIZE * 0.7
    while texels > 1 and level < LEVELS - 1:
        level, texels = level + 1, texels / 2
    albedo = _sample(textures, texture, level, u + 0.5, 0.5 - v)
    for k in range(3):
        lit = harmonics[k, 0] + harmonics[k, 1] * wx + harmonics[k, 2] * wy + harmonics[k, 3] * nz
        lit += harmonics[k, 4] * wx * wy + harmonics[k, 5] * wy * nz + harmonics[k, 6] * nz * wx
        lit += harmonics[k, 7] * (wx * wx - wy * wy) + harmonics[k, 8] * (3 * nz * nz - 1)
        lit = max(lit, 0.1 * harmonics[k, 0]) * near * item[RED + k]
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
    near = 0.75 + 0.45 * falloff + 1.1 * facing * falloff
    return min(near, 1.3 + 0.25 * near), shine


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
