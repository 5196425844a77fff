"""What is exported says in another program what the estimator says here."""

from __future__ import annotations

import json

import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from inference_cases import a_config, a_run

from baselines.inference.export import OUTPUTS, CropsToPose, GatheredGraphConv, exportable, neighbours, onnx_bytes
from baselines.layers.graph_conv import GraphConv
from baselines.layers.hierarchy import load_hierarchy
from baselines.registry import create_estimator
from baselines.train.run_folder import load_run
from rigging.command_line import main
from rigging.errors import InputError
from rigging.joints import JOINT_NAMES


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """An estimator, and the file that the command makes of it."""
    folder = tmp_path_factory.mktemp("export")
    torch.set_num_threads(1)
    run = a_run(folder / "run")
    assert main(["export", "--checkpoint", str(run), "--out", str(folder / "hand.onnx")], ("baselines",)) == 0
    session = onnxruntime.InferenceSession(folder / "hand.onnx", providers=["CPUExecutionProvider"])
    return load_run(run)[0], session


def crops(count):
    """Crops of noise, and cameras with skew, so that no entry of K is lost."""
    generator = torch.Generator().manual_seed(count)
    K = torch.tensor([[200.0, 1.5, 30], [0, 210, 34], [0, 0, 1]]).repeat(count, 1, 1)
    return torch.rand(count, 3, 64, 64, generator=generator), K + torch.rand(count, 1, 1) * torch.eye(3)[None] * 0


@pytest.mark.parametrize("count", [1, 3])
def test_onnxruntime_says_what_torch_says_for_any_number_of_crops(exported, count):
    estimator, session = exported
    rgb, K = crops(count)
    with torch.inference_mode():
        pose = CropsToPose(estimator).pose(rgb, K)
    told = session.run(list(OUTPUTS), {"rgb": rgb.numpy(), "K": K.numpy()})
    for name, array in zip(OUTPUTS, told):
        torch.testing.assert_close(torch.from_numpy(array), getattr(pose, name), atol=1e-4, rtol=1e-5)


def test_the_file_says_what_it_takes_and_gives(exported):
    about = exported[1].get_modelmeta().custom_metadata_map
    assert json.loads(about["joint_names"]) == list(JOINT_NAMES) and about["estimator"] == "mvhm_sv"
    assert about["input.rgb"].startswith("(batch, 3, 64, 64) float32, 0 to 1")
    assert {name for name in about if name.startswith("output.")} == {f"output.{name}" for name in OUTPUTS}
    assert [one.shape[0] for one in exported[1].get_inputs()] == ["batch", "batch"]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 3), st.integers(1, 4), st.integers(1, 5), st.integers(1, 4), st.booleans())
def test_gathered_graph_convolutions_are_graph_convolutions(level, inputs, outputs, terms, bias):
    torch.manual_seed(inputs)
    convolution = GraphConv(load_hierarchy().laplacians[level], inputs, outputs, terms, bias)
    x = torch.randn(convolution.laplacian.nodes, 2, inputs)
    with torch.inference_mode():
        torch.testing.assert_close(GatheredGraphConv(convolution)(x), convolution(x), atol=1e-5, rtol=1e-5)


def test_neighbours_are_the_rows_of_the_laplacian():
    laplacian = load_hierarchy().laplacians[2]
    column, value = neighbours(laplacian)
    dense = torch.zeros(laplacian.nodes, laplacian.nodes)
    for row in range(laplacian.nodes):  # the naive twin
        for place in range(column.shape[1]):
            dense[row, column[row, place]] += value[row, place]
    matrix = torch.sparse_csr_tensor(laplacian.crow, laplacian.col, laplacian.values, dense.shape).to_dense()
    torch.testing.assert_close(dense, matrix)


def test_the_estimator_itself_stays_as_it_was(exported):
    estimator = exported[0]
    before = [type(module) for module in estimator.modules()]
    copied = exportable(estimator)
    assert [type(module) for module in estimator.modules()] == before
    assert not any(isinstance(module, GraphConv) for module in copied.modules())
    assert any(parameter.requires_grad for parameter in estimator.parameters())


def test_estimators_of_several_views_are_refused():
    config = a_config("mvhm_mv")
    with pytest.raises(InputError, match="mvhm_mv: sees several views; single-view estimators can be exported"):
        onnx_bytes(create_estimator("mvhm_mv", **config.model), config)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--out", "hand.pt"], "--out hand.pt: a file FILE.onnx is wanted"),
        (["--out", "nowhere/hand.onnx"], "there is no folder nowhere"),
        (["--out", "hand.onnx", "--opset", "7"], "invalid choice: 7"),
        (["--out", "hand.onnx"], "no folder of a run"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, monkeypatch, capsys, words, line):
    monkeypatch.chdir(tmp_path)
    assert main(["export", "--checkpoint", str(tmp_path), *words], ("baselines",)) == 2
    told = capsys.readouterr().err
    assert line in told and told.count("\n") == 1 and not list(tmp_path.iterdir())
