"""The status as metrics of Prometheus."""

from prometheus_client.parser import text_string_to_metric_families
from status_folder import SHARDS, SIZE, VIEWS

from render_farm.report.metrics import save_metrics
from render_farm.report.status import read_status


def test_metrics_are_read_by_prometheus_own_parser(night, release, tmp_path):
    path = tmp_path / "farm.prom"
    save_metrics(read_status(night, release), path)
    families = {family.name: family for family in text_string_to_metric_families(path.read_text())}
    assert all(name.startswith("mvhm_") and family.documentation for name, family in families.items())
    values = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families.values()
        for sample in family.samples
    }
    of = ("release", "farm")
    assert values["mvhm_shards", of, ("state", "damaged")] == 2
    assert values["mvhm_images_planned", of] == SIZE * SHARDS * VIEWS
    assert values["mvhm_sample_failures_total", ("cause", "hang"), of] == 1
    assert values["mvhm_sample_failures_total", ("cause", "lost"), of] == 0
    assert values["mvhm_worker_memory_max_bytes", of] == 3.9e9
    assert families["mvhm_sample_failures"].type == "counter"
