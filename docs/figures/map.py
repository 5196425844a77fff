"""Draw docs/images/map.svg: packages and their rooms, and who imports whom, from the imports themselves.

Run from the root of the repository: python -m docs.figures.map
What a room is for is the first line of its `__init__.py`. An arrow leads from what is imported to who imports it; one
that follows from others is left out.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from html import escape

from .import_graph import PACKAGES, ROOT, modules, ours, parsed, room_of

OUT = ROOT / "docs" / "images" / "map.svg"
COLOURS = dict(zip(PACKAGES, ("#1f6f8b", "#b5541c", "#2e7d4f", "#7a4fa3", "#a8324a")))
WIDTH, MARGIN, HEAD = 1200, 84, 34  # px: of the page, of the lanes at the left, of a package's title
BOX, LINE, TITLE, GAP = 134, 13, 24, 16  # px: width of a room, its lines of text, its name, between rows
LETTERS, LINES = 23, 5  # of what a room is for
ABOVE, BELOW = "(above)", "(below)"  # modules beside the rooms: those that use rooms, and those that do not
LEGEND = "A -> B: B imports A; what follows from other arrows is left out. Dashed: modules beside the rooms."

Graph = dict[str, set[str]]  # node: what it imports


@dataclass(frozen=True)
class Place:
    """A room's box on the page, px."""

    x: float
    y: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


# ---- the graph


def beside(package: str, which: str) -> list[str]:
    """Names of the modules beside the rooms of a package that use rooms (ABOVE), or that do not (BELOW)."""
    found = [name for name in modules() if room_of(name) == (package, "")]
    return [name.split(".")[-1] for name in found if "." in name and "__" not in name and node_of(name) == which]


@cache
def node_of(name: str) -> str:
    """The box that a module is drawn in."""
    package, room = room_of(name)
    uses_rooms = any(room_of(other)[0] == package and room_of(other)[1] for other in ours(name))
    return room or (ABOVE if uses_rooms else BELOW)


def room_graph(package: str) -> Graph:
    """What each room of a package imports of the others, without what follows from others."""
    names = [name for name in modules() if room_of(name)[0] == package and "__main__" not in name and name != package]
    graph: Graph = {node_of(name): set() for name in names}
    for name in names:
        graph[node_of(name)] |= {node_of(other) for other in ours(name) if other in names}
    return reduced({node: used - {node} for node, used in graph.items()})


def package_graph() -> Graph:
    """Which packages each package imports, without those that follow from others."""
    graph: Graph = {package: set() for package in PACKAGES}
    for name in modules():
        graph[room_of(name)[0]] |= {room_of(other)[0] for other in ours(name)} - {room_of(name)[0]}
    return reduced(graph)


def reduced(graph: Graph) -> Graph:
    """The transitive reduction of a graph without circles."""
    reached: Graph = {}
    for node in TopologicalSorter(graph).static_order():
        reached[node] = graph[node].union(*(reached[used] for used in graph[node]))
    return {node: used - set().union(*(reached[other] for other in used)) for node, used in graph.items()}


# ---- where rooms stand


def columns_of(graph: Graph) -> dict[str, int]:
    """One to the right of all that a room imports; what imports nothing stands just left of its first user."""
    column: dict[str, int] = {}
    for node in TopologicalSorter(graph).static_order():
        column[node] = 1 + max((column[used] for used in graph[node]), default=-1)
    users = {node: [column[user] for user in graph if node in graph[user]] for node in graph}
    return {node: at if graph[node] else min(users[node], default=1) - 1 for node, at in column.items()}


def rows_of(graph: Graph, column: Mapping[str, int]) -> dict[str, int]:
    """The longest chain in the top row; every other room in the first free row, not above what it imports."""
    chain = [max(column, key=column.__getitem__)]
    while graph[chain[-1]]:
        chain.append(max(sorted(graph[chain[-1]]), key=lambda node: (column[node], bool(graph[node]))))
    row = dict.fromkeys(chain, 0)
    for node in sorted(set(graph) - set(chain), key=lambda node: (column[node], node)):
        taken = {row[other] for other in row if column[other] == column[node]}
        least = max((row.get(used, 0) for used in graph[node]), default=0)
        row[node] = next(at for at in range(least, len(graph)) if at not in taken)
    return row


def places_of(package: str, graph: Graph, top: float) -> dict[str, Place]:
    """Where each room of a package stands; the package begins at `top`."""
    column = columns_of(graph)
    row = rows_of(graph, column)
    step = (WIDTH - MARGIN - BOX - 40) / max(6, *column.values())
    tall = [max(room_height(package, node) for node in graph if row[node] == at) for at in range(max(row.values()) + 1)]
    starts = [top + HEAD + sum(tall[:at]) + GAP * at for at in range(len(tall))]
    return {
        node: Place(MARGIN + 20 + step * column[node], starts[row[node]], room_height(package, node)) for node in graph
    }


# ---- what is written


def words_of(package: str, node: str) -> list[str]:
    """Lines that say what a room is for."""
    if node in (ABOVE, BELOW):
        return textwrap.wrap(", ".join(f"{name}.py" for name in beside(package, node)), LETTERS)
    first = (ast.get_docstring(parsed(ROOT / package / node / "__init__.py")) or "").splitlines()[0]
    text = first.partition(";")[0].partition("(")[0].replace("`", "").rstrip(" .")
    while len(textwrap.wrap(text, LETTERS)) > LINES:
        text = text.rpartition(",")[0] or text[: LETTERS * LINES // 2]
    return textwrap.wrap(text, LETTERS)


def room_height(package: str, node: str) -> float:
    """Pixels that the words of a room take."""
    named = node not in (ABOVE, BELOW)
    return TITLE * named + LINE * len(words_of(package, node)) + (8 if named else 14)


def text(x: float, y: float, words: str, size: int = 11, colour: str = "#333", weight: str = "normal") -> str:
    """An SVG text."""
    style = f'font-size="{size}" fill="{colour}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'


def draw_room(package: str, node: str, place: Place) -> Iterator[str]:
    """The SVG elements of a room: its box, name and words."""
    named = node not in (ABOVE, BELOW)
    frame = f'stroke="{COLOURS[package]}"' if named else 'stroke="#999" stroke-dasharray="3 2"'
    size = f'width="{BOX}" height="{place.height:.1f}" rx="5"'
    yield f'<rect x="{place.x:.1f}" y="{place.y:.1f}" {size} fill="white" {frame}/>'
    if named:
        yield text(place.x + 8, place.y + 17, node, 14, COLOURS[package], "bold")
    first = place.y + (TITLE + 9 if named else 17)
    for at, line in enumerate(words_of(package, node)):
        yield text(place.x + 8, first + LINE * at, line, 10)


def line(points: Iterable[tuple[float, float]], colour: str, width: float = 1.3) -> str:
    """An SVG line through points, an arrow's head at its end."""
    path = " L ".join(f"{x:.1f} {y:.1f}" for x, y in points)
    style = f'fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"'
    return f'<path d="M {path}" {style} marker-end="url(#{colour[1:]})"/>'


def draw_import(places: Mapping[str, Place], used: str, user: str, colour: str, floor: float) -> str:
    """An arrow to the next column, or one through the space under a row where boxes stand between."""
    start, end = places[used], places[user]
    right, step = start.x + BOX, 9
    if end.x - right < BOX:
        return line(
            [(right, start.middle), (end.x - 14, start.middle), (end.x - 14, end.middle), (end.x - 1, end.middle)],
            colour,
        )
    return line(
        [
            (right, start.middle),
            (right + step, start.middle),
            (right + step, floor),
            (end.x - 14, floor),
            (end.x - 14, end.middle),
            (end.x - 1, end.middle),
        ],
        colour,
    )


def draw_package(package: str, top: float) -> tuple[float, list[str]]:
    """Height of the package's band, and what is drawn in it."""
    graph = room_graph(package)
    places = places_of(package, graph, top)
    bottom = max(place.y + place.height for place in places.values()) + GAP
    band = (
        f'width="{WIDTH - MARGIN - 6}" height="{bottom - top:.1f}" rx="8" fill="{COLOURS[package]}" fill-opacity="0.08"'
    )
    out = [f'<rect x="{MARGIN}" y="{top:.1f}" {band}/>']
    about = (ast.get_docstring(parsed(modules()[package])) or "").splitlines()[0].replace("`", "")
    out += [text(MARGIN + 12, top + 22, package, 17, COLOURS[package], "bold")]
    out += [text(MARGIN + 30 + 10 * len(package), top + 22, about, 12, "#555")]
    arrows = [(used, user) for user in sorted(graph) for used in sorted(graph[user])]
    for used, user in arrows:
        under = max(p.y + p.height for p in places.values() if p.y == places[used].y) + GAP / 2
        out.append(draw_import(places, used, user, COLOURS[package], under))
    for node, place in places.items():
        out += draw_room(package, node, place)
    return bottom - top, out


def draw_lanes(tops: Mapping[str, float]) -> Iterator[str]:
    """Arrows from package to package, in lanes at the left."""
    graph = package_graph()
    for lane, used in enumerate(PACKAGES):
        users = [user for user in PACKAGES if used in graph[user]]
        x, start = 12 + 20 * lane, tops[used] + 40
        for user in users:
            end = tops[user] + 14 + 6 * lane
            yield line([(MARGIN, start), (x, start), (x, end), (MARGIN - 1, end)], COLOURS[used], 2)


def marker(colour: str) -> str:
    """An arrow's head."""
    head = f'<path d="M 0 0 L 8 4 L 0 8 z" fill="{colour}"/>'
    size = 'viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse"'
    return f'<marker id="{colour[1:]}" {size} orient="auto">{head}</marker>'


def draw_map() -> str:
    """The picture as SVG; the same imports give the same bytes."""
    top, tops, bands = 8.0, {}, []
    for package in PACKAGES:
        tops[package] = top
        height, drawn = draw_package(package, top)
        bands += drawn
        top += height + 14
    legend, top = text(MARGIN + 12, top + 6, LEGEND, 12, "#555"), top + 18
    box = f'width="{WIDTH}" height="{top:.0f}" viewBox="0 0 {WIDTH} {top:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {box} font-family="Helvetica, Arial, sans-serif">'
    defs = "<defs>" + "".join(map(marker, COLOURS.values())) + "</defs>"
    return (
        "\n".join(
            [head, defs, '<rect width="100%" height="100%" fill="white"/>', *bands, *draw_lanes(tops), legend, "</svg>"]
        )
        + "\n"
    )


def main() -> None:
    """Write the map."""
    OUT.write_text(draw_map(), encoding="utf-8")


if __name__ == "__main__":
    main()
