"""Table 2 of the MVHM paper: what training on the release as well does for estimators on real pictures.

AUC of the 3D PCK over 0-50 and 20-50 mm and mean end-point error, of joints in camera axes with the true root depth and
scale, as the papers do. The paper's figures stand in a column of their own: they are of its own release and training.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figures:
    """AUC over 0-50 mm, AUC over 20-50 mm, end-point error in mm."""

    auc_0_50: float
    auc_20_50: float
    epe: float

    def __str__(self) -> str:
        return f"{self.auc_0_50:.3f} / {self.auc_20_50:.3f} / {self.epe:.2f}"


@dataclass(frozen=True)
class Row:
    """An estimator on a real data set, trained on that set alone or with the release."""

    data: str  # name of the real set
    estimator: str
    release: bool  # trained on the release, too
    paper: Figures
    ours: Figures | None = None  # None: nobody ran it
    why: str = ""  # it was not run

    @property
    def trained_on(self) -> str:
        """In words."""
        return f"{self.data} and the release" if self.release else f"{self.data} alone"


PAPER = (
    Row("MHP", "mvhm_sv", False, Figures(0.604, 0.802, 22.13)),
    Row("MHP", "mvhm_sv", True, Figures(0.660, 0.857, 18.09)),
    Row("MHP", "mvhm_mv", False, Figures(0.832, 0.985, 8.43)),
    Row("MHP", "mvhm_mv", True, Figures(0.895, 0.990, 5.20)),
    Row("STB", "mvhm_sv", False, Figures(0.820, 0.987, 8.95)),
    Row("STB", "mvhm_sv", True, Figures(0.832, 0.991, 8.38)),
)
