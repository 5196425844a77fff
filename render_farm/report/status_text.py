"""The status of a release as a table for a person, 100 columns wide, on a terminal or in a log."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterator, Sequence

from dataset_tools.progress import duration
from dataset_tools.store.incomplete import Quarantined

from ..outcome import Cause
from .figures import Trouble
from .shard_status import ShardStatus
from .status import Crew, Images, Speed, Status

WIDTH = 100
MOST = 20  # items of one list
BAR = 30
NAMES = {"waiting": "not begun"}


def table(status: Status) -> str:
    """All of it, in lines."""
    return "\n\n".join("\n".join(part) for part in _parts(status) if part)


def _parts(status: Status) -> Iterator[list[str]]:
    aside = [sample for shard in status.begun for sample in shard.aside]
    others = ", ".join(status.other_files[:5]) + (", ..." if len(status.other_files) > 5 else "")
    yield _summary(status)
    yield _rendering(status)
    yield _interrupted(status)
    yield _list(f"set aside: {_count(len(aside), 'sample')}; --retry tries them again", list(map(_aside, aside)))
    yield _list("failed attempts", list(map(_trouble, status.failures)))
    yield _list("processes that ended early", list(map(_trouble, status.stops)))
    rows = [(f"{slow.seconds:.1f} s", slow.sample, f"{slow.shard:05d}", slow.host) for slow in status.slowest]
    yield _grid("slowest samples", ("time", "sample", "shard", "host"), rows)
    yield _list("files that need a look", [_wrapped(f"{problem.file}: {problem.what}") for problem in status.problems])
    if others:
        yield _wrapped(f"{_count(len(status.other_files), 'file')} beside the release: {others}", indent=0)


def _summary(status: Status) -> list[str]:
    poses = f", poses from {status.poses}" if status.poses else ""
    lines = _wrapped(f"release {status.release} in {status.folder}, {_moment(status.time)}{poses}", indent=0)
    if not status.begun and status.planning is None:
        images = "" if status.images.planned is None else f", {status.images.planned:,} images"
        return [*lines, f"nothing is rendered yet: {_count(status.shards, 'shard')}{images} to do"]
    rows = {
        "planning": status.planning and f"process {status.planning.pid} on {status.planning.host} is making the plan",
        "shards": _states(status),
        "images": _images(status.images),
        "speed": _speed(status.speed),
        "time left": _left(status.images.left, status.speed, status.crew),
        "workers": _crew(status.crew),
    }
    return lines + [f"  {name:<10} {line}" for name, line in rows.items() if line]


def _states(status: Status) -> str:
    total = "an unknown number" if status.shards is None else f"{status.shards:,}"
    counts = {NAMES.get(state, state): number for state, number in status.states.items() if state != "done" and number}
    return ", ".join([f"{status.states['done']:,} of {total} done", *(f"{n:,} {state}" for state, n in counts.items())])


def _images(images: Images) -> str:
    aside = f", {images.aside:,} set aside" if images.aside else ""
    if images.planned is None:
        return f"{images.done:,} done{aside}"
    share = images.done / max(images.planned, 1)
    bar = "#" * int(BAR * share)
    return f"{images.done:,} of {images.planned:,} done ({int(100 * share)} %){aside} [{bar:-<{BAR}}]"


def _speed(speed: Speed) -> str:
    overall = f"{speed.overall:.2f} images/s overall ({duration(speed.rendered_seconds)} of rendering)"
    if speed.recent_seconds == 0:
        return f"{overall}, none in the last 5 minutes"
    return f"{speed.recent:.2f} images/s in the last {duration(speed.recent_seconds)}, {overall}"


def _left(images: int | None, speed: Speed, crew: Crew) -> str:
    if images is None:
        return "unknown: there is neither a plan nor a release file that says how many shards there are"
    if images == 0:
        return "nothing left to render"
    if speed.seconds_left is None:
        return f"unknown: {images:,} images to do, none rendered yet"
    rate = "speed of the last minutes" if speed.left_from == "recent" else "overall speed"
    idle = "" if crew.hosts else "nobody is at work; "
    return f"{idle}{duration(speed.seconds_left)} for {images:,} images, at the {rate}"


def _crew(crew: Crew) -> str:
    parts = [f"{crew.workers} on {_count(crew.hosts, 'host')}" if crew.hosts else "none at work"]
    if (most := crew.memory) is not None:
        parts.append(f"memory at most {most.megabytes:,.0f} MB ({most.host}, shard {most.shard})")
    if crew.replaced:
        causes = ", ".join(f"{cause} {number}" for cause, number in crew.replaced.items())
        parts.append(f"{sum(crew.replaced.values())} replaced ({causes})")
    return "; ".join(parts)


def _rendering(status: Status) -> list[str]:
    heads = ("shard", "samples", "host", "pid", "workers", "for", "last sign", "oldest sample")
    rows = [
        (
            f"{shard.shard:05d}", _progress(shard), shard.host, shard.pid, shard.workers or "?",
            _ago(status, shard.since), f"{_ago(status, shard.seen)} ago",
            _ago(status, shard.busy[0].since) if shard.busy else "-",
        )
        for shard in status.begun if shard.state == "rendering"
    ]  # fmt: skip
    return _grid("being rendered", heads, rows)


def _interrupted(status: Status) -> list[str]:
    title = "interrupted (nobody is at them; run them again, finished samples are kept)"
    rows = [
        (f"{shard.shard:05d}", _progress(shard), shard.host or "-", f"{_ago(status, shard.seen)} ago", _why(shard))
        for shard in status.begun
        if shard.state == "interrupted"
    ]
    return _grid(title, ("shard", "samples", "host", "last sign", "why"), rows)


def _why(shard: ShardStatus) -> str:
    """Why it ended, in short; the whole reason is among the processes that ended early."""
    reason = textwrap.shorten(shard.reason, WIDTH - 60, placeholder=" ...")
    samples = ", ".join(str(busy.sample) for busy in shard.busy[:2]) + (", ..." if len(shard.busy) > 2 else "")
    return f"{reason}, at sample {samples}" if samples else reason


def _aside(sample: Quarantined) -> list[str]:
    tries = "" if sample.attempts is None else f", tried {sample.attempts} times"
    lines = _wrapped(f"shard {sample.shard:05d} sample {sample.sample}: {sample.cause}{tries}: {sample.reason}")
    return [*lines, f"      {sample.command}"] if sample.command else lines


def _trouble(trouble: Trouble) -> list[str]:
    where = f"shard {trouble.shard:05d}" + ("" if trouble.sample is None else f" sample {trouble.sample}")
    about = f": {Cause(trouble.cause).meaning.words}" if trouble.cause in set(Cause) else ""
    newest = f"newest {_moment(trouble.time)}, {where} on {trouble.host}: {trouble.reason}"
    return _wrapped(f"{trouble.count} x {trouble.cause}{about}") + _wrapped(newest, indent=6)


def _grid(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Rows under their heads, in columns as wide as they need."""
    shown = [[str(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(map(len, column)) for column in zip(*shown[: MOST + 1])]
    lines = ["  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths)).rstrip() for row in shown]
    return _list(f"{title}\n{lines[0]}", [[line] for line in lines[1:]])


def _list(title: str, items: Sequence[Sequence[str]]) -> list[str]:
    """Items, each of some lines, under a title, if there are any; what was cut off is said."""
    lines = [line for item in items[:MOST] for line in item]
    more = [f"  ... and {len(items) - MOST} more (--json tells all)"] if len(items) > MOST else []
    return [title, *lines, *more] if lines else []


def _wrapped(text: str, indent: int = 2) -> list[str]:
    whole = {"break_long_words": False, "break_on_hyphens": False}
    return textwrap.wrap(text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2), **whole)


def _progress(shard: ShardStatus) -> str:
    aside = f" ({len(shard.aside)} aside)" if shard.aside else ""
    return f"{shard.rendered}/{'?' if shard.samples is None else shard.samples}{aside}"


def _count(number: int | None, noun: str) -> str:
    return f"an unknown number of {noun}s" if number is None else f"{number:,} {noun}{'' if number == 1 else 's'}"


def _ago(status: Status, moment: float | None) -> str:
    return "?" if moment is None else duration(max(0.0, status.time - moment))


def _moment(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
