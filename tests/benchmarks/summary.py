"""What the page and the figures say about measured numbers: curves of quality over time, tone groups, trends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Classes of the individual typology angle (Chardon et al. 1991, Del Bino and Bernerd 2013), taken in pairs
TONES = {"light": (28.0, np.inf), "medium": (-30.0, 28.0), "dark": (-np.inf, -30.0)}


@dataclass(frozen=True)
class Curve:
    """Quality and time of one way of rendering, by rising samples per pixel; all (R,)."""

    samples: tuple[int, ...]
    decibels: np.ndarray  # mean PSNR over the cases
    least: np.ndarray  # that of the worst case
    seconds: np.ndarray  # median over the timed samples

    def seconds_at(self, decibels: float) -> float | None:
        """Seconds to reach a mean PSNR, interpolated in log seconds; None if it is not reached.

        Fewer samples than the first rung's (one per pixel) are impossible, so what lies below costs as much.
        """
        if decibels > self.decibels.max():
            return None
        return float(np.exp(np.interp(decibels, np.maximum.accumulate(self.decibels), np.log(self.seconds))))


def curve(quality: dict, way: str, tone: str | None = None) -> Curve:
    """The curve of a way in what `bench_quality.measure` returns, over all cases or those of one of TONES."""
    low, high = TONES[tone] if tone else (-np.inf, np.inf)
    cases = [case for case, ita in enumerate(quality["ita"]) if low < ita <= high]
    ladder = sorted(int(samples) for samples in quality["psnr"][way])
    values = np.array([[quality["psnr"][way][str(samples)][case] for case in cases] for samples in ladder])
    seconds = [median_seconds(quality["seconds"][way][str(samples)]) for samples in ladder]
    return Curve(tuple(ladder), values.mean(1), values.min(1), np.array(seconds))


def median_seconds(times: list[dict[str, float]], flow: bool = False) -> float:
    """Median seconds of what `timed_sample` returned, with the optical flow that is timed apart or without it."""
    return float(np.median([time["seconds"] + flow * time.get("flow_seconds", 0.0) for time in times]))


def median_ratio(slower: list[dict[str, float]], faster: list[dict[str, float]], flow: bool = False) -> float:
    """Median over samples rendered both ways of how many times as long the first took, with its flow or without."""
    ratios = [
        (one["seconds"] + flow * one.get("flow_seconds", 0.0)) / other["seconds"] for one, other in zip(slower, faster)
    ]
    return float(np.median(ratios))


@dataclass(frozen=True)
class Trend:
    """A straight line through measured values."""

    mean: float
    slope: float  # per sample
    error: float  # standard error of the slope

    def change(self, samples: int) -> tuple[float, float]:
        """Change over `samples` as a share of the mean, and the most that two standard errors allow."""
        return self.slope * samples / self.mean, (abs(self.slope) + 2 * self.error) * samples / self.mean


def trend(values: list[float], period: int, skip: int = 0) -> Trend:
    """Least squares slope of values that repeat the same work every `period`, without the first `skip`.

    Every phase of the period has its own level: the mean of each is taken off values and times alike, so the slope
    is one between repetitions of the same work.
    """
    index = np.arange(skip, len(values))
    y, x = np.array(values, float)[skip:], index.astype(float)
    mean, phases = float(y.mean()), np.unique(index % period)
    for phase in phases:
        same = index % period == phase
        x[same], y[same] = x[same] - x[same].mean(), y[same] - y[same].mean()
    slope = float(x @ y / (x @ x))
    freedom = max(len(x) - len(phases) - 1, 1)
    return Trend(mean, slope, float(np.sqrt(((y - slope * x) ** 2).sum() / freedom / (x @ x))))
