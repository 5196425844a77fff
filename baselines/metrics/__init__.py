"""Metrics of hand pose estimation, streaming and exact, with numpy and scipy alone (docs/metrics.md).

Positions in metres, errors in millimetres. `Scores` takes predictions batch by batch; the functions take arrays.
"""

from .align import bone_scaled, least_squares_scaled, procrustes_aligned, root_relative
from .curves import auc, pck, pck_2d
from .errors import epe, joint_errors, mean_error, mpjpe, mpvpe, pixel_errors, sample_errors
from .intervals import Interval, paired_interval
from .protocol import PROTOCOLS, Protocol, protocol
from .scores import Scores
from .shapes import f_scores, mask_iou

__all__ = [
    "PROTOCOLS",
    "Interval",
    "Protocol",
    "Scores",
    "auc",
    "bone_scaled",
    "epe",
    "f_scores",
    "joint_errors",
    "least_squares_scaled",
    "mask_iou",
    "mean_error",
    "mpjpe",
    "mpvpe",
    "paired_interval",
    "pck",
    "pck_2d",
    "pixel_errors",
    "procrustes_aligned",
    "protocol",
    "root_relative",
    "sample_errors",
]
