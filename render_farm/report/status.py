"""How far a release is, from its folder alone: while others render, on other hosts too, and after everything died.

Nothing is written, nothing planned. Whatever is half written, damaged or foreign in the folder is passed over or named.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dataset_tools.store.layout import ReleaseFolder, shard_stem
from dataset_tools.store.shard_state import State, file_state

from ..planning.release import Release
from ..shard.events import EventLog
from ..shard.history import History
from .extent import Extent, Problem, read_extent
from .figures import Figures, Memory, Slow, Trouble
from .folder import Folder, Process
from .shard_status import STATES, ShardStatus, ShardView, advised

RECENT_SECONDS = 300.0
SKEW_SECONDS = 30.0  # by which other hosts' clocks may be ahead
Bar = Callable[[Sequence[int]], Iterable[int]]


@dataclass(frozen=True)
class Images:
    """Numbers of images of the shards that are told of; None is not known."""

    planned: int | None
    done: int  # staged or written
    aside: int  # of samples that are set aside
    left: int | None  # to be rendered: neither done nor set aside nor in a damaged shard


@dataclass(frozen=True)
class Speed:
    """Images per second. A time in which nothing was rendered counts neither for nor against it."""

    recent: float  # over the last `recent_seconds`
    recent_seconds: float  # five minutes, or since rendering began in them
    overall: float  # over all `rendered_seconds`
    rendered_seconds: float
    seconds_left: float | None  # None is not known
    left_from: str  # the rate that says so: "recent", "overall" or ""


@dataclass(frozen=True)
class Crew:
    """Who is at work, and what became of workers."""

    workers: int
    hosts: int
    replaced: dict[str, int]  # workers replaced by fresh ones, by cause
    memory: Memory | None  # the most that a worker held


@dataclass(frozen=True)
class Status:
    """A release, summed up. `--json` prints these keys; times are seconds since 1970, None (null) is not known."""

    release: str
    folder: str
    time: float
    poses: str  # their source
    shards: int | None  # how many are told of
    states: dict[str, int | None]  # how many are in each of STATES
    images: Images
    speed: Speed
    crew: Crew
    failures: tuple[Trouble, ...]  # attempts at a sample that failed, by cause, the most frequent first
    stops: tuple[Trouble, ...]  # processes that ended before their shard was there, by cause
    slowest: tuple[Slow, ...]
    problems: tuple[Problem, ...]
    other_files: tuple[str, ...]  # in the folder, not of a release
    planning: Process | None  # who is making the plan
    begun: tuple[ShardStatus, ...]  # the shards but those that wait; their samples that are set aside


def read_status(
    folder: Path,
    release: Release | None = None,
    *,
    poses: str | None = None,
    samples: int | None = None,
    shards: Collection[int] | None = None,
    now: float | None = None,
    bar: Bar = iter,
) -> Status:
    """The status of the release in `folder` at the time `now` (seconds since 1970; default: this moment).

    `release` and the pose source `poses` are needed only before there is a plan, and else compared with it. `samples`
    is the truncation of shards that were not begun, `shards` those to tell of (default: all). `bar` goes over their
    numbers, to show how far the reading is.
    """
    now = time.time() if now is None else now
    found, extent = Folder(folder, now), read_extent(folder, release, poses)
    scope = range(extent.shards) if shards is None and extent.shards is not None else shards
    numbers = sorted(found.numbers if scope is None else found.numbers.intersection(scope))
    figures = Figures(recent=(now - RECENT_SECONDS, now + SKEW_SECONDS))
    looked = [_look(found, number, extent, figures) for number in bar(numbers)]
    begun = tuple(shard for shard in looked if shard.state != "waiting")
    images = _images(begun, scope, extent, samples)
    return Status(
        release=release.name if release is not None else folder.name,
        folder=str(folder),
        time=now,
        poses=extent.poses,
        shards=None if scope is None else len(scope),
        states=_states(begun, scope),
        images=images,
        speed=_speed(figures, now, images.left),
        crew=_crew(begun, figures),
        failures=_troubles(figures.faults),
        stops=_troubles(figures.stops),
        slowest=tuple(figures.slowest),
        problems=(*extent.problems, *_problems(looked), *_beyond(found, extent), *_mixture(begun)),
        other_files=found.others,
        planning=found.planner,
        begun=begun,
    )


def verified(status: Status, bar: Callable[[Sequence[ShardStatus]], Iterable[ShardStatus]] = iter) -> Status:
    """The status after reading all of every finished shard: one whose sha256 is not its manifest's is damaged."""
    damaged: dict[int, ShardStatus] = {}
    for shard in bar([shard for shard in status.begun if shard.state == "done"]):
        found = file_state(ReleaseFolder(Path(status.folder)).shard(shard.shard), deep=True)
        if found.state is not State.WHOLE:
            damaged[shard.shard] = replace(shard, state="damaged", rendered=0, reason=advised(found))
    lost = sum(shard.samples * (shard.views or 0) for shard in damaged.values())
    states = status.states | {
        "done": status.states["done"] - len(damaged), "damaged": status.states["damaged"] + len(damaged)
    }  # fmt: skip
    return replace(
        status,
        states=states,
        images=replace(status.images, done=status.images.done - lost),
        problems=(*status.problems, *_problems(list(damaged.values()))),
        begun=tuple(damaged.get(shard.shard, shard) for shard in status.begun),
    )


def _look(folder: Folder, shard: int, extent: Extent, figures: Figures) -> ShardStatus:
    """The status of a shard; its log is added to `figures`."""
    entries = list(EventLog.of(folder.path, shard).read())
    figures.add(shard, entries)
    return ShardView(folder, shard, History.of(entries), extent).status


def _states(begun: Sequence[ShardStatus], scope: Collection[int] | None) -> dict[str, int | None]:
    counted = Counter(shard.state for shard in begun)
    waiting = None if scope is None else len(scope) - len(begun)
    return {state: counted[state] for state in STATES} | {"waiting": waiting}


def _images(begun: Sequence[ShardStatus], scope: Collection[int] | None, extent: Extent, samples: int | None) -> Images:
    sizes = {shard.shard: (shard.samples or 0) * (shard.views or 0) for shard in begun}
    done = sum(shard.rendered * (shard.views or 0) for shard in begun)
    aside = sum(len(shard.aside) * (shard.views or 0) for shard in begun)
    lost = sum(sizes[shard.shard] for shard in begun if shard.state == "damaged")
    if scope is None or extent.shards is None:
        return Images(None, done, aside, None)
    waiting = (extent.samples_of(shard) or 0 for shard in scope if shard not in sizes)
    planned = sum(sizes.values()) + extent.views * sum(min(size, samples or size) for size in waiting)
    return Images(planned, done, aside, max(0, planned - done - aside - lost))


def _speed(figures: Figures, now: float, left: int | None) -> Speed:
    spans = figures.spans
    seconds = sum(end - start for start, end in spans)
    overall = _rate(figures.images, seconds)
    began = next((start for start, end in spans if end > now - RECENT_SECONDS), now)
    window = min(RECENT_SECONDS, max(0.0, now - began))
    recent = _rate(figures.recent_images, window)
    rate, source = (recent, "recent") if recent else (overall, "overall") if overall else (0.0, "")
    known = left is not None and (rate or not left)
    return Speed(recent, window, overall, seconds, (left / rate if left else 0.0) if known else None, source)


def _rate(images: int, seconds: float) -> float:
    """Images per second; of less than a second as of one."""
    return images / max(seconds, 1.0)


def _crew(begun: Sequence[ShardStatus], figures: Figures) -> Crew:
    busy = [shard for shard in begun if shard.state == "rendering"]
    return Crew(
        workers=sum(shard.workers or 0 for shard in busy),
        hosts=len({shard.host for shard in busy}),
        replaced=dict(sorted(figures.replaced.items())),
        memory=figures.memory,
    )


def _troubles(table: Mapping[str, Trouble]) -> tuple[Trouble, ...]:
    return tuple(sorted(table.values(), key=lambda trouble: (-trouble.count, trouble.cause)))


def _file_name(shard: int) -> str:
    """Name of the shard's file."""
    return ReleaseFolder(Path()).shard(shard).name


def _problems(looked: Sequence[ShardStatus]) -> list[Problem]:
    """Of files of shards: damaged ones, and those that are gone."""
    troubled = [shard for shard in looked if shard.state == "damaged" or (shard.state == "waiting" and shard.reason)]
    return [Problem(_file_name(shard.shard), shard.reason) for shard in troubled]


def _beyond(found: Folder, extent: Extent) -> list[Problem]:
    """Shards that the release does not have."""
    if extent.shards is None:
        return []
    what = f"the release has shards 0 to {extent.shards - 1}"
    return [Problem(shard_stem(shard), what) for shard in sorted(found.numbers) if shard >= extent.shards]


def _mixture(begun: Sequence[ShardStatus]) -> list[Problem]:
    """Shards of another configuration than most."""
    done = [shard for shard in begun if shard.state == "done"]
    usual = Counter(shard.configuration for shard in done).most_common(1)
    return [
        Problem(_file_name(shard.shard), f"of another configuration than most, with {shard.samples} samples")
        for shard in done
        if shard.configuration != usual[0][0]
    ]
