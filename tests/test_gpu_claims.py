"""The benchmark that decides claims on a GPU trains what they name and nothing else."""

import pytest

from baselines.config import PRESETS, load_config
from baselines.gate.settings import read_settings
from rigging.errors import InputError
from tests.benchmarks.gpu_claims import CLAIMS, restricted, shortened

SHORT = PRESETS / "gate-short"


def test_only_what_the_claims_name_is_trained_and_what_that_begins_with():
    settings = restricted(read_settings(SHORT), CLAIMS, seeds=5)
    assert [claim.name for claim in settings.claims] == list(CLAIMS)
    assert [extra.name for extra in settings.extras] == [
        "ge_gcn, first stages",
        "ge_gcn",
        "ge_joints, baseline 1",
        "lt_alg",
    ]
    assert {settings.seeds_of(extra) for extra in settings.extras} == {settings.seeds} == {5}


def test_a_claim_that_the_preset_has_not_is_told():
    with pytest.raises(InputError, match=r"'meshes helps'.*'meshes help'"):
        restricted(read_settings(SHORT), ["meshes helps"], seeds=3)


def test_a_share_shortens_every_stage_and_changes_nothing_else(tmp_path):
    presets = shortened(SHORT, 0.5, tmp_path / "half")
    assert {path.name for path in presets.iterdir()} == {path.name for path in SHORT.glob("*.toml")}
    whole, half = (load_config(folder / "ge_gcn.toml", "ge_gcn") for folder in (SHORT, presets))
    assert [stage.epochs for stage in half.stages] == [stage.epochs / 2 for stage in whole.stages] == [30, 5, 50]
    assert half.model == whole.model and half.data == whole.data
    least = load_config(shortened(SHORT, 0.001, tmp_path / "least") / "lt_alg.toml", "lt_alg")
    assert [stage.epochs for stage in least.stages] == [1, 1]
