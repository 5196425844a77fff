"""The benchmark's page says what was measured: curves, ratios, trends, and what was not measured."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.benchmarks.bench_quality import rungs
from tests.benchmarks.bench_render import fewest
from tests.benchmarks.blenderproc_env import PATCHES, patch
from tests.benchmarks.graph_page import graph_section
from tests.benchmarks.labels_page import labels_section
from tests.benchmarks.loader_page import loader_section
from tests.benchmarks.page import others, page, speed_section
from tests.benchmarks.raster_page import raster_section
from tests.benchmarks.sensor_page import sensor_section
from tests.benchmarks.summary import Curve, curve, median_ratio, trend
from tests.benchmarks.tables import with_section

ITA = [50.0, 28.0, 0.0, -30.0, -60.0]  # one light, two medium, two dark

GRAPH = {
    "processor": "Chip, 1 cores", "torch": "2", "torch_geometric": "3", "batch": 8, "terms": 3,
    "layers": [
        {"nodes": 332, "inputs": 64, "outputs": 32, "difference": 1e-7,
         "seconds": {"ours": [1.0, 2.0, 1.0], "one graph": [4.0, 6.0, 4.0], "many graphs": [3.5, 8.0, 9.0]}},
        {"nodes": 664, "inputs": 4, "outputs": 3, "difference": 3e-7,
         "seconds": {"ours": [1.0, 1.0, 1.0], "one graph": [9.0, 9.0, 9.0], "many graphs": [7.0, 7.0, 7.0]}},
    ],
}  # fmt: skip

RASTER = {
    "processor": "Chip, 2 cores", "torch": "2", "scipy": "1", "batch": 4,
    "raster": {"32": {"one": [1.0, 2.0, 3.0], "batch": [0.5, 0.6, 0.7]}},
    "alignment": {"8": {"ours": [1.0, 2.0, 4.0], "scipy loop": [9.0, 20.0, 40.0], "numpy loop": [8.0, 8.0, 8.0]}},
}  # fmt: skip
LABELS = {
    "processor": "Chip, 2 cores",
    "sizes": {"256": {"no flow": 2.5, "flow to one side": 4.0, "flow to both": 5.25, "covered": 0.171}},
}
SENSOR = {
    "processor": "Chip, 2 cores",
    "sizes": {"256": {"whole": {"phone": {"mean": 6.04, "most": 8.06}}, "parts": {"JPEG": 0.7, "shutter": 1.126}}},
}
LOADER = {
    "processor": "Chip, 2 cores", "size": [256, 128], "batch": 8, "views": 192, "kilobytes": 21.4,
    "dropped": {"ours": [[2.0, 2.0, 2.0], [1.0, 1.0]], "memory": [[2.0, 4.0, 9.0], [1.5, 1.5]],
                "LMDB": [[2.0, 2.0, 2.0], [1.0, 1.0]]},
    "kept": {"ours": [[1.0], [1.0]], "memory": [[1.25], [1.35]]},
    "workers": {"ours": [[1.0], [1.0]], "ours, spawn": [[1.0], [1.1]]},
    "fields": {"rgb": [3e-4, 2.9e-4, 9e-4], "parts": [2e-5]},
    "storage": {"parts": {"view, 3": {"kib": 1.0, "us": 8.4}, "sample, 3": {"kib": 1.03, "us": 7.1}}},
    "resident": [300.0, 320.0, 320.5],
}  # fmt: skip


def measured(*ways: str) -> dict:
    """Made-up results of `bench_quality`: case k has 30 + k dB, a decibel more at twice the samples."""
    psnr = {"1": [30.0 + k for k in range(5)], "2": [31.0 + k for k in range(5)]}
    seconds = {"1": [{"seconds": 1.0, "flow_seconds": 9.0}] * 3, "2": [{"seconds": 4.0}] * 3}
    check = {"samples_per_pixel": 128, "psnr": [43.0, 45.0]}
    return {"ita": ITA, "psnr": dict.fromkeys(ways, psnr), "seconds": dict.fromkeys(ways, seconds),
            "blenderproc_check": check}  # fmt: skip


def results(*ways: str) -> dict[str, dict]:
    times = {way: [{"seconds": 1.0 + 2 * k}] * 3 for k, way in enumerate(ways)}
    if "blenderproc" in times:
        times["blenderproc"] = [one | {"flow_seconds": 0.5} for one in times["blenderproc"]]
    parts = {"inside_ms_per_view": 400.0, "denoiser_ms_per_view": 9.0, "outside_ms_per_view": 6.0, "new_skin_ms": 50.0}
    worker = {"samples_per_pixel": 8, **parts,
              "resident_mb": [600.0 + k % 4 for k in range(300)], "seconds": [1.0] * 300, "round": 4}  # fmt: skip
    spin = {"modes": {"palm": {"median": 10, "poses_per_second_best": 12}}}
    render = {"samples_per_pixel": dict.fromkeys(ways, 2), "times": times}
    farm = {"release": "mvhm", "samples": 6, "shards": [2, 6], "share_of_plain_throughput": 0.981,
            "seconds_per_shard": {"plain": [9.8, 10.0], "ray": [10.0, 10.2]}}  # fmt: skip
    return {
        "quality": measured(*ways),
        "render": render,
        "worker": worker,
        "farm": farm,
        "spin": spin,
        "graph": GRAPH,
        "labels": LABELS,
        "sensor": SENSOR,
        "raster": RASTER,
        "loader": LOADER,
    }


@pytest.mark.parametrize(("tone", "decibels"), [(None, 32), ("light", 30), ("medium", 31.5), ("dark", 33.5)])
def test_a_tones_curve_is_over_its_own_cases(tone, decibels):
    found = curve(measured("ours"), "ours", tone)
    assert found.samples == (1, 2)
    np.testing.assert_allclose(found.decibels, [decibels, decibels + 1])
    np.testing.assert_allclose(found.seconds, [1, 4])  # without the flow


def test_seconds_are_interpolated_in_their_logarithm_and_never_extrapolated():
    found = Curve((1, 2, 4), np.array([34.0, 36.0, 38.0]), np.zeros(3), np.array([1.0, 4.0, 9.0]))
    assert found.seconds_at(35.0) == pytest.approx(2.0)  # half way between 1 and 4
    assert found.seconds_at(36.0) == pytest.approx(4.0)
    assert found.seconds_at(20.0) == pytest.approx(1.0)  # less than one sample per pixel cannot be had
    assert found.seconds_at(38.1) is None


def test_a_ratio_is_taken_sample_by_sample():
    slow, fast = ([{"seconds": s} for s in values] for values in ((2.0, 30.0, 4.0), (1.0, 10.0, 1.0)))
    assert median_ratio(slow, fast) == pytest.approx(3.0)


def test_the_fewest_samples_reach_the_goal_in_the_mean():
    assert fewest({"1": [30.0, 36.0], "2": [33.0, 37.0], "10": [40.0, 40.0]}) == 2
    assert fewest({"1": [30.0], "10": [34.0], "2": [33.0]}) == 10  # not reached: the most there is


def test_ways_take_turns_from_few_samples_to_many():
    ladders = {"ours": (1, 2, 3), "typical": (1, 4)}
    assert rungs(["ours", "typical"], ladders) == [
        ("ours", 1), ("typical", 1), ("ours", 2), ("typical", 4), ("ours", 3)
    ]  # fmt: skip


def test_a_trend_does_not_mistake_unequal_samples_for_growth():
    """The run breaks off after the dearest samples, so that a plain line through all would rise."""
    cost, growth = np.array([1.0, 1.0, 2.0, 9.0]), 0.01
    values = [100 + cost[k % 4] + growth * k for k in range(30)]
    found = trend(values, period=4)
    assert found.slope == pytest.approx(growth)
    assert found.error == pytest.approx(0, abs=1e-9)
    assert found.change(100)[0] == pytest.approx(100 * growth / np.mean(values))
    assert trend([50.0] * 8 + values, period=4, skip=8).slope == pytest.approx(growth)  # not the warm-up


def test_the_standard_error_covers_noise():
    """Two standard errors hold the true slope in about 95 of 100 runs."""
    rng = np.random.default_rng(1)
    found = [trend(list(5 + rng.normal(size=120)), period=24) for _ in range(200)]
    inside = np.mean([abs(one.slope) < 2 * one.error for one in found])
    assert 0.9 < inside < 0.99


def test_the_page_names_every_way_and_its_ratio():
    text = page(results("ours", "typical", "blenderproc"))
    assert "3.0 times as fast as the typical script and 5.5 times as fast as BlenderProc" in text
    assert "0.50 s of BlenderProc's are for its optical flow: without it the ratio is 5.0" in text
    assert "43.0 to 45.0 dB" in text
    assert text.count("**flat**") == 2
    assert "98.1 % of the throughput" in text


def test_the_page_says_if_memory_grows():
    grown = results("ours", "typical")
    grown["worker"]["resident_mb"] = [600.0 + k for k in range(300)]
    assert "**not flat**" in page(grown)


def test_what_was_not_measured_is_said():
    assert "not measured" in others(measured("ours", "typical"))
    assert "BlenderProc was not measured" in speed_section(results("ours", "typical")["render"])


def test_graph_convolutions_are_compared_with_the_faster_way_round_by_round():
    text = graph_section(GRAPH)
    assert "| 332 | 64 to 32 | 1000.00 | 4000.00 | 8000.00 | 4.0 |" in text  # 4, 3, 4 and 3.5, 4, 9 times as long
    assert "| 664 | 4 to 3 | 1000.00 | 9000.00 | 7000.00 | 7.0 |" in text
    assert "at least 4.0 times" in text and "3e-07 of the largest" in text


def test_labels_are_given_as_views_a_second_and_what_flow_adds():
    text = labels_section(LABELS)
    assert "| 256 x 256 | 17% | 2.50 | 400 | 1.50 | 2.75 |" in text
    assert "one core of\nChip;" in text


def test_the_sensor_is_given_whole_and_by_part():
    text = sensor_section(SENSOR)
    assert "| **phone** | **6.0**, at most 8.1 |" in text
    assert "| shutter | 1.13 |" in text


def test_alignment_is_compared_with_loops_round_by_round():
    text = raster_section(RASTER)
    assert "| 32 | 2.0 | 0.6 |" in text and "3 rounds" in text
    assert "| 8 | 2000.0 | 20000.0 | 8000.0 | 10.0 and 4.0 |" in text  # 9, 10, 10 and 8, 4, 2 times as long


def test_the_loader_is_compared_round_by_round_and_process_by_process():
    text = loader_section(LOADER)
    assert "| the same JPEGs from memory, the same decoder | 1.75 (1.50 to 2.00) | 1.30 (1.25 to 1.35) |  |" in text
    assert "| LMDB, our decoder | 1.00 (1.00 to 1.00) |  |  |" in text
    assert "| rgb | 300 |" in text and "| parts | 1.00, 8 | 1.03, 7 |" in text
    assert "it does not grow" in text and "**it grows**" in loader_section(LOADER | {"resident": [300.0, 320.0, 330.0]})


def test_a_section_of_the_page_is_replaced_or_added():
    page = "# Title\n\nhead\n\n## A\n\nold a\n\n## B\n\nold b\n"
    assert with_section(page, "## A\n\nnew") == "# Title\n\nhead\n\n## A\n\nnew\n\n## B\n\nold b\n"
    assert with_section(page, "## C\n\nnew") == page + "\n## C\n\nnew\n"


def test_the_page_can_be_written_again_from_kept_results():
    kept = results("ours", "typical", "blenderproc")
    assert page(json.loads(json.dumps(kept))) == page(kept)


def test_patches_change_a_package_only_if_it_is_as_expected(tmp_path):
    for name, old, _ in PATCHES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"before\n{old}\nafter\n", encoding="utf-8")
    patch(tmp_path)
    for name, _, new in PATCHES:
        assert (tmp_path / name).read_text(encoding="utf-8") == f"before\n{new}\nafter\n"
    with pytest.raises(ValueError, match="does not say"):
        patch(tmp_path)
