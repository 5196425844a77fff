"""The status of a release as a table for a person, 100 columns wide, on a terminal or in a log."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterable, Sequence

from dataset_tools.progress import duration

from ..outcome import Cause
from .figures import Trouble
from .shard_status import ShardStatus
from .status import Speed, Status

WIDTH = 100
MOST = 20  # lines of one list
BAR = 30
NAMES = {"waiting": "not begun"}
Row = Sequence[object]


def table(status: Status) -> str:
    """All of it, in lines."""
    parts = [_summary(status), _rendering(status), _interrupted(status), _incomplete(status)]
    parts += [_troubles("failed attempts", status.failures), _troubles("processes that ended early", status.stops)]
    parts += [_slowest(status), _files(status), _logs(status)]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _summary(status: Status) -> list[str]:
    from_poses = f", poses from {status.poses}" if status.poses else ""
    lines = _wrapped(f"release {status.release} in {status.folder}, {_moment(status.time)}{from_poses}", indent=0)
    if not status.begun and status.planning is None:
        images = "" if status.images.planned is None else f", {status.images.planned:,} images"
        return [*lines, f"nothing is rendered yet: {_count(status.shards, 'shard')}{images} to do"]
    rows = [("shards", _states(status)), ("images", _images(status)), ("speed", _speed(status.speed))]
    rows.append(("time left", _left(status)))
    if (planner := status.planning) is not None:
        rows.insert(0, ("planning", f"process {planner.pid} on {planner.host} is making the plan"))
    return lines + [f"  {name:<10} {line}" for name, line in (*rows, ("workers", _crew(status)))]


def _states(status: Status) -> str:
    total = "an unknown number" if status.shards is None else f"{status.shards:,}"
    others = [(state, number) for state, number in status.states.items() if state != "done" and number]
    told = "".join(f", {number:,} {NAMES.get(state, state)}" for state, number in others)
    return f"{status.states['done']:,} of {total} done{told}"


def _images(status: Status) -> str:
    images = status.images
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


def _left(status: Status) -> str:
    speed, left = status.speed, status.images.left
    if left is None:
        return "unknown: there is neither a plan nor a release file that says how many shards there are"
    if speed.seconds_left is None:
        return f"unknown: {left:,} images to do, none rendered yet"
    if left == 0:
        return "nothing left to render"
    if not status.crew.hosts:
        return f"nobody is at work; {duration(speed.seconds_left)} for {left:,} images at the {_RATES[speed.left_from]}"
    return f"{duration(speed.seconds_left)} for {left:,} images, at the {_RATES[speed.left_from]}"


_RATES = {"recent": "speed of the last minutes", "overall": "overall speed"}


def _crew(status: Status) -> str:
    crew = status.crew
    parts = [f"{crew.workers} on {_count(crew.hosts, 'host')}" if crew.hosts else "none at work"]
    if crew.memory is not None:
        where = f"{crew.memory.host}, shard {crew.memory.shard}"
        parts.append(f"memory at most {crew.memory.megabytes:,.0f} MB ({where})")
    if crew.replaced:
        told = ", ".join(f"{cause} {number}" for cause, number in crew.replaced.items())
        parts.append(f"{sum(crew.replaced.values())} replaced ({told})")
    return "; ".join(parts)


def _rendering(status: Status) -> list[str]:
    rows = [
        (
            f"{shard.shard:05d}", _progress(shard), shard.host, shard.pid, _or_unknown(shard.workers),
            _ago(status.time, shard.since), f"{_ago(status.time, shard.seen)} ago",
            _ago(status.time, shard.busy[0].since) if shard.busy else "-",
        )
        for shard in status.begun if shard.state == "rendering"
    ]  # fmt: skip
    heads = ("shard", "samples", "host", "pid", "workers", "for", "last sign", "oldest sample")
    return _grid("being rendered", heads, rows)


def _interrupted(status: Status) -> list[str]:
    rows = [
        (f"{s.shard:05d}", _progress(s), s.host or "-", f"{_ago(status.time, s.seen)} ago", _why(s))
        for s in status.begun
        if s.state == "interrupted"
    ]
    title = "interrupted (nobody is at them; run them again, finished samples are kept)"
    return _grid(title, ("shard", "samples", "host", "last sign", "why"), rows)


def _why(shard: ShardStatus) -> str:
    """Why it ended, in short; the whole reason is among the processes that ended early."""
    reason = textwrap.shorten(shard.reason, WIDTH - 60, placeholder=" ...")
    samples = ", ".join(str(busy.sample) for busy in shard.busy[:2]) + (", ..." if len(shard.busy) > 2 else "")
    return f"{reason}, at sample {samples}" if samples else reason


def _incomplete(status: Status) -> list[str]:
    lines, lacking = [], [aside for shard in status.begun for aside in shard.aside]
    for aside in lacking[:MOST]:
        tries = "" if aside.attempts is None else f", tried {aside.attempts} times"
        lines += _wrapped(f"shard {aside.shard:05d} sample {aside.sample}: {aside.cause}{tries}: {aside.reason}")
        lines += [f"      {aside.command}"] if aside.command else []
    return _titled(f"set aside: {_count(len(lacking), 'sample')}; --retry tries them again", lines, len(lacking))


def _troubles(title: str, troubles: Sequence[Trouble]) -> list[str]:
    lines = []
    for trouble in troubles:
        where = f"shard {trouble.shard:05d}" + ("" if trouble.sample is None else f" sample {trouble.sample}")
        about = f": {Cause(trouble.cause).meaning.words}" if trouble.cause in set(Cause) else ""
        lines += _wrapped(f"{trouble.count} x {trouble.cause}{about}")
        newest = f"newest {_moment(trouble.time)}, {where} on {trouble.host}: {trouble.reason}"
        lines += _wrapped(newest, indent=6)
    return [title, *lines] if lines else []


def _slowest(status: Status) -> list[str]:
    rows = [(f"{slow.seconds:.1f} s", slow.sample, f"{slow.shard:05d}", slow.host) for slow in status.slowest]
    return _grid("slowest samples", ("time", "sample", "shard", "host"), rows)


def _files(status: Status) -> list[str]:
    lines = [line for problem in status.problems[:MOST] for line in _wrapped(f"{problem.file}: {problem.what}")]
    out = _titled("files that need a look", lines, len(status.problems))
    if status.other_files:
        names = ", ".join(status.other_files[:5]) + (", ..." if len(status.other_files) > 5 else "")
        out += _wrapped(f"{_count(len(status.other_files), 'file')} beside the release: {names}", indent=0)
    return out


def _logs(status: Status) -> list[str]:
    if not status.begun:
        return []
    scratch = sorted({shard.scratch for shard in status.begun if shard.scratch and shard.state != "done"})
    also = f", or below {', '.join(scratch)} on the hosts" if scratch else ""
    return _wrapped(
        f"logs: events .events/shard-0000n.jsonl; workers' output .staging/shard-0000n/worker-k.log{also}", 0
    )


def _grid(title: str, heads: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """Rows under their heads in columns as wide as they need."""
    if not rows:
        return []
    shown = [[str(cell) for cell in row] for row in (heads, *rows[:MOST])]
    widths = [max(map(len, column)) for column in zip(*shown)]
    lines = ["  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths)).rstrip() for row in shown]
    return _titled(title, lines, len(rows))


def _titled(title: str, lines: Iterable[str], count: int) -> list[str]:
    """Lines under a title; what was cut off is said."""
    lines = list(lines)
    more = [f"  ... and {count - MOST} more (--json tells all)"] if count > MOST else []
    return [title, *lines, *more] if lines else []


def _wrapped(text: str, indent: int = 2) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2), break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _progress(shard: ShardStatus) -> str:
    aside = f" ({len(shard.aside)} aside)" if shard.aside else ""
    return f"{shard.rendered}/{_or_unknown(shard.samples)}{aside}"


def _or_unknown(value: int | None) -> str:
    return "?" if value is None else str(value)


def _count(number: int | None, noun: str) -> str:
    if number is None:
        return f"an unknown number of {noun}s"
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _ago(now: float, moment: float | None) -> str:
    return "?" if moment is None else duration(max(0.0, now - moment))


def _moment(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
