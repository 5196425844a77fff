"""`make bench`: run every benchmark, one after another, and write docs/benchmarks.md and its figures.

Each part is a process of its own that prints one JSON object; it is kept in FOLDER/PART.json. `--only PART` runs one
part and takes the others from there; `--only page` runs none. `--only graph`, `labels`, `raster`, `loader` and
`sensor` need no others: they write their section.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from docs.figures.quality import draw_quality
from docs.figures.worker import draw_worker
from rigging.command_line import THREAD_VARIABLES

from .graph_page import graph_section
from .labels_page import labels_section
from .loader_page import loader_section
from .page import page
from .raster_page import raster_section
from .sensor_page import sensor_section
from .tables import with_section

ROOT = Path(__file__).resolve().parents[2]
PARTS = {
    "quality": "bench_quality", "render": "bench_render", "worker": "bench_worker", "farm": "bench_farm",
    "spin": "bench_spin", "graph": "bench_graph", "labels": "bench_labels", "raster": "bench_raster",
    "loader": "bench_loader", "sensor": "bench_sensor",
}  # fmt: skip
ONE_THREAD = ("sensor",)  # as in every mvhm command; waiting threads of BLAS count as processor time
NEED_NO_FOLDER = ("spin", "graph", "labels", "raster", "sensor")
SECTIONS = {"graph": graph_section, "labels": labels_section, "raster": raster_section, "loader": loader_section,
            "sensor": sensor_section}  # fmt: skip


def run_part(part: str, folder: Path) -> dict:
    """Run one benchmark and keep its JSON. subprocess.CalledProcessError if it fails."""
    command = [sys.executable, "-m", f"tests.benchmarks.{PARTS[part]}"]
    command += ["--folder", str(folder)] if part not in NEED_NO_FOLDER else []
    threads = dict.fromkeys(THREAD_VARIABLES, "1") if part in ONE_THREAD else {}
    result = subprocess.run(command, cwd=ROOT, env=os.environ | threads, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(result.stdout[result.stdout.index("{") :])
    (folder / f"{part}.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    return found


def write_docs(results: dict[str, dict], docs: Path) -> None:
    """The page and its figures."""
    (docs / "benchmarks.md").write_text(page(results), encoding="utf-8")
    draw_quality(results["quality"], docs / "images" / "quality_time.png")
    draw_worker(results["worker"], docs / "images" / "worker_500.png")


def write_section(section: str, path: Path) -> None:
    """Put a section into the page, in place of what it said before."""
    text = path.read_text(encoding="utf-8") if path.exists() else "# Benchmarks\n"
    path.write_text(with_section(text, section), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("out/bench"), help="what was measured, and the references")
    parser.add_argument("--only", choices=[*PARTS, "page"])
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where benchmarks.md and images/ are written")
    options = parser.parse_args()
    folder = options.folder.resolve()
    (options.docs / "images").mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    if options.only in SECTIONS:
        write_section(SECTIONS[options.only](run_part(options.only, folder)), options.docs / "benchmarks.md")
        return 0
    results = {}
    for part in PARTS:
        kept = folder / f"{part}.json"
        reuse = options.only not in (None, part) and kept.exists()
        results[part] = json.loads(kept.read_text(encoding="utf-8")) if reuse else run_part(part, folder)
    write_docs(results, options.docs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
