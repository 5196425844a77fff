"""How a renderer should use the maps: constants of the skin material, in metres, with their reasons."""

from __future__ import annotations

from dataclasses import dataclass

# Of skin that is not oily, where a release says nothing; lines finer than a texel spread what it reflects, too.
SKIN_ROUGHNESS = 0.56
HEIGHT_RANGE = 0.004  # metres between 0 and 65535 of the height map; the mesh's surface lies at the middle


@dataclass(frozen=True)
class SkinAppearance:
    """Parameters of Blender's Principled BSDF (4.x) for hand and bare arm.

    Nails need no second material and no coat: the roughness map is low there.
    Albedo -> Base Color (sRGB); roughness -> Roughness (Non-Color); height map (Non-Color, Cubic) -> Bump -> Normal.
    """

    # Mean free path in red, green, blue. Skin's own is longer in red (some 3 mm); with random walk and a texture that
    # already holds blurred subdermal colour, longer paths only wash out creases and thin fingers.
    subsurface_radius_m: tuple[float, float, float] = (0.0018, 0.0007, 0.0004)
    subsurface_scale: float = 1.0  # Subsurface Scale multiplies the radius; keep 1 as scenes are in metres
    subsurface_weight: float = 1.0  # all diffuse light enters the skin
    subsurface_anisotropy: float = 0.0  # 0.8 is physical, but needs longer walks for no visible gain at 256 px
    ior: float = 1.4  # of skin's outer layer: 2.8 % reflected head-on
    specular_level: float = 0.5  # Specular IOR Level; 0.5 leaves the IOR's own reflectance
    bump_strength: float = 1.0
    bump_distance_m: float = HEIGHT_RANGE  # with strength 1 the relief is to scale


SKIN_APPEARANCE = SkinAppearance()
