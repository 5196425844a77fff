"""How far a release is, from its folder alone: while others render, on other hosts too, and after everything died.

Nothing is written, nothing planned. Whatever is half written, damaged or foreign in the folder is passed over or named.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.names import names_in, shard_stem

from ..errors import InputError
from ..planning.configuration import difference
from ..planning.plan import load_plan
from ..planning.release import Release, planned_release
from ..shard.events import EventLog
from ..shard.history import History
from .figures import Figures, Memory, Slow, Trouble
from .shard_status import STATES, Process, ShardStatus, holder, shard_status

RECENT_SECONDS = 300.0
SKEW_SECONDS = 30.0  # by which other hosts' clocks may be ahead


@dataclass(frozen=True)
class Problem:
    """Something in the folder that needs a look; `file` is relative to the folder."""

    file: str
    what: str


@dataclass(frozen=True)
class Images:
    """Numbers of images of the shards that are told of; None is not known."""

    planned: int | None
    done: int  # staged or written
    aside: int  # of samples that are quarantined
    left: int | None  # to be rendered: neither done nor quarantined nor in a damaged shard


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
    begun: tuple[ShardStatus, ...]  # the shards but those that wait; their samples that are quarantined


def read_extent(folder: Path, release: Release | None, poses: str | None) -> tuple[Release | None, list[Problem]]:
    """The release as it was planned in `folder`; before there is a plan, `release` itself, with the poses `poses`.

    A plan that is damaged, not of `release` or of the pose source `poses`, or short of poses is a problem.
    """
    path = ReleaseFolder(folder).plan
    given = release and release.with_poses(poses)
    if not path.exists():
        return given, []
    try:
        plan = load_plan(path)
        planned = planned_release(plan.release, path)
    except InputError as error:
        return given, [Problem(path.name, str(error).removeprefix(f"{path}: "))]
    problems = []
    if plan.samples < planned.samples:
        problems.append(f"has poses for the first {plan.samples:,} of {planned.samples:,} samples only")
    if given and not poses:  # as the plan has them, from the command line or the release file
        given = replace(given, poses=replace(given.poses, source=planned.poses.source, options=planned.poses.options))
    if changed := difference(planned.to_json(), (given or planned.with_poses(poses or None)).to_json()):
        problems.append(f"not of this release ({changed})")
    return planned, [Problem(path.name, problem) for problem in problems]


def read_status(
    path: Path,
    release: Release | None = None,
    problems: Sequence[Problem] = (),
    *,
    samples: int | None = None,
    shards: Collection[int] | None = None,
    deep: bool = False,
    now: float | None = None,
) -> Status:
    """The status of the release in the folder `path` at the time `now` (seconds since 1970; default: this moment).

    `release` and the `problems` of its plan are as `read_extent` has them; `samples` truncates shards that were not
    begun; `shards` are those to tell of (default: all), with `deep` read whole.
    """
    now, files = time.time() if now is None else now, ReleaseFolder(path)
    scope = range(release.shards) if shards is None and release is not None else shards
    numbers = [shard for shard in files.traces() if scope is None or shard in scope]
    looked, figures = _look(files, numbers, release, now, deep)
    begun = tuple(shard for shard in looked if shard.state != "waiting")
    images = _images(begun, scope, release, samples)
    return Status(
        release=path.name,
        folder=str(path),
        time=now,
        poses=release.poses.source if release is not None else "",
        shards=None if scope is None else len(scope),
        states=_states(begun, scope),
        images=images,
        speed=_speed(figures, now, images.left),
        crew=_crew(begun, figures),
        failures=_by_count(figures.faults),
        stops=_by_count(figures.stops),
        slowest=tuple(figures.slowest),
        problems=(*problems, *_problems(files, looked, release)),
        other_files=tuple(sorted(name for name in names_in(path) if name[0] != "." and not files.owns(name))),
        planning=None if files.plan.exists() else holder(files.plan_lock, now),
        begun=begun,
    )


def _look(
    files: ReleaseFolder, numbers: Sequence[int], release: Release | None, now: float, deep: bool
) -> tuple[list[ShardStatus], Figures]:
    """The shards `numbers`, and the sums over their logs. A terminal sees how far it is."""
    looked, figures = [], Figures(recent=(now - RECENT_SECONDS, now + SKEW_SECONDS))
    for shard in tqdm(numbers, desc=files.path.name, unit="shard", delay=1.0, leave=False, disable=None):
        entries = EventLog.of(files.path, shard).read()
        figures.add(shard, entries)
        looked.append(shard_status(files, shard, History.of(entries), release, now, deep))
    return looked, figures


def _states(begun: Sequence[ShardStatus], scope: Collection[int] | None) -> dict[str, int | None]:
    counted = Counter(shard.state for shard in begun)
    waiting = None if scope is None else len(scope) - len(begun)
    return {state: counted[state] for state in STATES} | {"waiting": waiting}


def _images(
    begun: Sequence[ShardStatus], scope: Collection[int] | None, release: Release | None, samples: int | None
) -> Images:
    done = sum(shard.images(shard.rendered) for shard in begun)
    aside = sum(shard.images(len(shard.aside)) for shard in begun)
    if scope is None or release is None:
        return Images(None, done, aside, None)
    waiting = set(scope).intersection(range(release.shards)) - {shard.shard for shard in begun}
    sizes = (len(release.shard_samples(shard)) for shard in waiting)
    planned = sum(shard.images(shard.samples) for shard in begun)
    planned += release.cameras.views * sum(min(size, samples or size) for size in sizes)
    damaged = sum(shard.images(shard.samples) for shard in begun if shard.state == "damaged")
    return Images(planned, done, aside, max(0, planned - done - aside - damaged))


def _speed(figures: Figures, now: float, left: int | None) -> Speed:
    seconds = sum(end - start for start, end in figures.spans)
    began = next((start for start, end in figures.spans if end > now - RECENT_SECONDS), now)
    window = min(RECENT_SECONDS, max(0.0, now - began))
    # of less than a second as of one
    rates = {"recent": figures.recent_images / max(window, 1.0), "overall": figures.images / max(seconds, 1.0)}
    source = next((name for name, rate in rates.items() if rate), "")
    seconds_left = 0.0 if left == 0 else left / rates[source] if left and source else None
    return Speed(rates["recent"], window, rates["overall"], seconds, seconds_left, source)


def _crew(begun: Sequence[ShardStatus], figures: Figures) -> Crew:
    busy = [shard for shard in begun if shard.state == "rendering"]
    workers, hosts = sum(shard.workers or 0 for shard in busy), {shard.host for shard in busy}
    return Crew(workers, len(hosts), dict(sorted(figures.replaced.items())), figures.memory)


def _by_count(table: Mapping[str, Trouble]) -> tuple[Trouble, ...]:
    return tuple(sorted(table.values(), key=lambda trouble: (-trouble.count, trouble.cause)))


def _problems(files: ReleaseFolder, looked: Sequence[ShardStatus], release: Release | None) -> Iterator[Problem]:
    """Shards that are damaged, gone, beyond the release, or of another configuration than most."""
    done = [shard for shard in looked if shard.state == "done"]
    usual = Counter(shard.configuration for shard in done).most_common(1)
    for shard in looked:
        file = files.shard(shard.shard).name
        if shard.state in ("damaged", "waiting") and shard.reason:
            yield Problem(file, shard.reason)
        if shard.state == "done" and shard.configuration != usual[0][0]:
            yield Problem(file, f"of another configuration than most, with {shard.samples} samples")
    for number in files.traces():
        if release is not None and number >= release.shards:
            yield Problem(shard_stem(number), f"the release has shards 0 to {release.shards - 1}")
