"""The status of a release as a table for a person, 100 columns wide, on a terminal or in a log."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Sequence

from dataset_tools.progress import duration
from dataset_tools.store.incomplete import Quarantined

from ..outcome import Cause
from .figures import Trouble
from .shard_status import ShardStatus
from .status import Crew, Speed, Status

WIDTH = 100
MOST = 20  # items of one list


def table(status: Status) -> str:
    """All of it, in lines."""
    aside = [_aside(sample) for shard in status.begun for sample in shard.aside]
    others, more = ", ".join(status.other_files[:5]), ", ..." if len(status.other_files) > 5 else ""
    beside = f"{_count(len(status.other_files), 'file')} beside the release: {others}{more}"
    slowest = [(f"{slow.seconds:.1f} s", slow.sample, f"{slow.shard:05d}", slow.host) for slow in status.slowest]
    parts = [
        _summary(status),
        _grid(
            "being rendered",
            ("shard", "samples", "host", "pid", "workers", "for", "last sign", "oldest sample"),
            [_at_work(shard, status.time) for shard in status.begun if shard.state == "rendering"],
        ),
        _grid(
            "interrupted (nobody is at them; run them again, finished samples are kept)",
            ("shard", "samples", "host", "last sign", "why"),
            [_interrupted(shard, status.time) for shard in status.begun if shard.state == "interrupted"],
        ),
        _list(f"set aside: {_count(len(aside), 'sample')}; --retry tries them again", aside),
        _list("failed attempts", [_trouble(trouble) for trouble in status.failures]),
        _list("processes that ended early", [_trouble(trouble) for trouble in status.stops]),
        _grid("slowest samples", ("time", "sample", "shard", "host"), slowest),
        _list("files that need a look", [_wrapped(f"{problem.file}: {problem.what}") for problem in status.problems]),
        _wrapped(beside, indent=0) if others else [],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _summary(status: Status) -> list[str]:
    poses = f", poses from {status.poses}" if status.poses else ""
    lines = _wrapped(f"release {status.release} in {status.folder}, {_moment(status.time)}{poses}", indent=0)
    images, planning = status.images, status.planning
    if not status.begun and planning is None:
        planned = "" if images.planned is None else f", {images.planned:,} images"
        return [*lines, f"nothing is rendered yet: {_count(status.shards, 'shard')}{planned} to do"]
    known = images.planned is not None
    of = f" of {images.planned:,} done ({100 * images.done // max(images.planned, 1)} %)" if known else " done"
    rows = {
        "planning": planning and f"process {planning.pid} on {planning.host} is making the plan",
        "shards": _states(status),
        "images": f"{images.done:,}{of}" + (f", {images.aside:,} set aside" if images.aside else ""),
        "speed": _speed(status.speed),
        "time left": _left(images.left, status.speed, status.crew),
        "workers": _crew(status.crew),
    }
    return lines + [f"  {name:<10} {line}" for name, line in rows.items() if line]


def _states(status: Status) -> str:
    total = "an unknown number" if status.shards is None else f"{status.shards:,}"
    names = {state: state for state in status.states} | {"done": f"of {total} done", "waiting": "not begun"}
    return ", ".join(f"{n:,} {names[state]}" for state, n in status.states.items() if n or state == "done")


def _speed(speed: Speed) -> str:
    recent = f"{speed.recent:.2f} images/s in the last {duration(speed.recent_seconds)}"
    overall = f"{speed.overall:.2f} overall ({duration(speed.rendered_seconds)} of rendering)"
    return f"{recent if speed.recent_seconds else 'no images/s in the last 5 minutes'}, {overall}"


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


def _at_work(shard: ShardStatus, now: float) -> tuple[object, ...]:
    oldest = _ago(now, shard.busy[0].since) if shard.busy else "-"
    what = (f"{shard.shard:05d}", _progress(shard), shard.host, shard.pid, shard.workers or "?")
    return *what, _ago(now, shard.since), f"{_ago(now, shard.seen)} ago", oldest


def _interrupted(shard: ShardStatus, now: float) -> tuple[object, ...]:
    """Its row, with the reason in short; the whole one is among the processes that ended early."""
    why = textwrap.shorten(shard.reason, WIDTH - 60, placeholder=" ...")
    samples = ", ".join(str(busy.sample) for busy in shard.busy[:2]) + (", ..." if len(shard.busy) > 2 else "")
    why += f", at sample {samples}" if samples else ""
    return f"{shard.shard:05d}", _progress(shard), shard.host or "-", f"{_ago(now, shard.seen)} ago", why


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


def _ago(now: float, moment: float | None) -> str:
    return "?" if moment is None else duration(max(0.0, now - moment))


def _moment(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
