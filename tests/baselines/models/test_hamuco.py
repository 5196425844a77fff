"""HaMuCo: terms in turn, who learns from what, any number of views in any order, and every row of its Table 4."""

from __future__ import annotations

import dataclasses

import model_cases
import pytest
import torch

from baselines import create_estimator
from baselines.models.hamuco import Config, sampled_at
from rigging.errors import InputError

VIEWS = 3
BATCH = model_cases.batch(2, VIEWS)
BOTH = frozenset({"consistency_2d", "consistency_fused"})
ABLATIONS = {  # rows of Table 4, as far as its text is known: settings of the model; the other rows leave out losses
    "w/o DCVI": {"interactions": 0},
    "w/o CVA": {"attention": False},
    "w/o VSF": {"shared": False},
    "w/o location embedding": {"location": False},
    "w/o initial graph": {"initial": False},
    "w/o joint features": {"sampled": False},
    "w/o extrinsics": {"extrinsics": False},
}


def estimator(**changes: object) -> torch.nn.Module:
    torch.manual_seed(0)
    return create_estimator("hamuco", **(model_cases.settings("hamuco") | changes))


def chosen(batch, rows: list[int], views: int):
    return dataclasses.replace(batch.map(lambda tensor: tensor[rows]), views=views)


def gradients(net: torch.nn.Module, loss: str, part: str) -> bool:
    """Whether any of the part's weights is moved by a loss."""
    net.zero_grad()
    net.losses(net(BATCH), BATCH)[loss].backward()
    given = [one.grad for one in net.get_submodule(part).parameters() if one.grad is not None]
    return any(bool(one.any()) for one in given)


def test_nothing_but_2d_labels_is_looked_at():
    blind = dataclasses.replace(BATCH, joints_cam=None, vertices_cam=None, depth=None)
    net = estimator().eval()
    seen, unseen = (net.losses(net(one), one) for one in (BATCH, blind))
    assert seen == unseen and len(seen) == 7
    assert "joints_cam" not in net.fields and "vertices_world" not in net.fields


def test_the_terms_of_consistency_take_turns_by_training_step():
    net = estimator()
    for step in range(4):
        found = net.losses(net(BATCH, BOTH), BATCH)
        counted, waiting = sorted(BOTH, reverse=bool(step % 2))
        assert found[counted] > 0 and found[waiting] == 0
    net.eval()
    before = {name: one.clone() for name, one in net.state_dict().items()}
    assert all(net.losses(net(BATCH), BATCH)[name] > 0 for name in BOTH)  # what is not trained tells both
    assert all(torch.equal(one, before[name]) for name, one in net.state_dict().items())
    assert before["interaction.steps"] == 4  # is kept with the weights: a resumed training goes on with its turn


@pytest.mark.parametrize("only", sorted(BOTH))
def test_a_term_alone_has_every_turn(only):
    net = estimator()
    for _ in range(2):
        assert net.losses(net(BATCH, frozenset({only})), BATCH)[only] > 0


def test_what_is_fused_teaches_the_single_views_alone():
    net = estimator()
    learns = {name: gradients(net, "distillation", name) for name in ("single", "graph", "interaction", "regression")}
    assert learns == {"single": True, "graph": False, "interaction": False, "regression": False}


def test_interaction_keeps_the_single_views_shape():
    net = estimator(location=False)
    assert not gradients(net, "interact_2d", "single.shape") and not gradients(net, "interact_2d", "single.camera")
    assert gradients(net, "interact_2d", "single.backbone") and gradients(net, "interact_2d", "graph")
    output = net(BATCH)
    assert torch.equal(output["interact_shape"], output["single_shape"])


def test_features_are_sampled_where_the_joints_are_seen():
    """A map whose cells hold their own centres, as uv from -1 to 1 over the crop, shows at uv just that."""
    step = (torch.arange(4) + 0.5) / 2 - 1
    maps = torch.stack(torch.meshgrid(step, step, indexing="xy"))[None]
    uv = torch.tensor([[[0.0, 0.0], [-0.75, 0.25], [0.3, -0.6], [-1.0, 0.25], [5.0, 0.0]]])
    found = sampled_at(uv, maps)
    torch.testing.assert_close(found[:, :3], uv[:, :3])
    torch.testing.assert_close(found[0, 3], 0.5 * torch.tensor([-0.75, 0.25]))  # half of the cell is out
    assert not found[0, 4].any()


@torch.no_grad()
def test_views_in_another_order_say_the_same_in_that_order():
    net, order = estimator().eval(), [2, 0, 1, 3, 5, 4]
    first, second = net(BATCH), net(chosen(BATCH, order, VIEWS))
    for name in first.keys() - {"turn"}:
        torch.testing.assert_close(second[name], first[name][order], atol=1e-5, rtol=1e-4, msg=name)


@torch.no_grad()
def test_any_number_of_views_and_all_may_learn_in_groups():
    net = estimator(masks=True).eval()
    for views in (1, 2):
        some = chosen(BATCH, list(range(views)), views)
        assert net(some)["fused_joints"].shape == (views, 21, 3)
    torch.manual_seed(0)
    plain, alone = net(BATCH), net(chosen(BATCH, [1], 1))
    net.interaction.masks = True
    torch.testing.assert_close(net(BATCH)["interact_uv"], plain["interact_uv"])  # groups are of training alone
    net.interaction.train()
    for branch in net.interaction.branches:
        branch.eval()  # without dropout
    drawn = torch.stack([net(BATCH)["interact_uv"][1] for _ in range(12)])
    apart = (drawn - plain["interact_uv"][1]).abs().amax((1, 2)), (drawn - alone["interact_uv"]).abs().amax((1, 2))
    assert min(apart[0]) < 1e-5 < max(apart[0]) and min(apart[1]) < 1e-5  # with all others, and by itself


def test_only_what_is_wanted_is_computed():
    net = estimator()
    assert not any("interact" in name for name in net(BATCH, frozenset({"single_2d", "single_prior"})))
    labels_alone = net(BATCH, frozenset({"interact_2d"}))
    assert "fused_joints" not in labels_alone and not BOTH & net.losses(labels_alone, BATCH).keys()
    with pytest.raises(InputError, match="crops of 64 px, the estimator is made for 32"):
        estimator(single=model_cases.settings("hamuco")["single"] | {"size": 32})(BATCH)


@pytest.mark.parametrize("row", ABLATIONS)
def test_every_network_of_table_4_can_be_made_and_learns(row):
    whole, net = estimator(), estimator(**ABLATIONS[row])
    losses = net.losses(net(BATCH), BATCH)
    sum(losses.values()).backward()
    assert losses.keys() == whole.losses(whole(BATCH), BATCH).keys()
    assert all(one.grad is not None and one.grad.isfinite().all() for one in net.parameters())
    missing = {name for name, _ in whole.named_modules()} - {name for name, _ in net.named_modules()}
    assert bool(missing) == (row not in ("w/o extrinsics", "w/o joint features"))
    width = {"w/o location embedding": 4, "w/o initial graph": 2 * 2**2, "w/o joint features": 4 + 8 + 16}
    assert net.graph.features == whole.graph.features - width.get(row, 0)


def test_without_interaction_views_do_not_know_of_each_other():
    for interactions, knows in ((0, False), (1, True)):
        net = estimator(interactions=interactions).eval()
        other = dataclasses.replace(BATCH, rgb=torch.cat([BATCH.rgb[:1], 1 - BATCH.rgb[1:]]))
        said = [net(one)["interact_uv"][0] for one in (BATCH, other)]
        assert bool((said[0] - said[1]).abs().max() > 1e-4) == knows


@pytest.mark.parametrize("wrong", [{"attention": False, "shared": False}, {"embedding": 0}, {"interactions": -1}])
def test_settings_that_make_no_network_are_refused(wrong):
    with pytest.raises(ValueError, match="|".join(wrong)):
        Config(**wrong)


def test_it_learns_its_views_from_2d_labels():
    net, wanted, said = estimator(), frozenset({"single_2d", "interact_2d"}), []
    optimiser = torch.optim.Adam(net.parameters(), 5e-3)
    for _ in range(25):
        losses = net.losses(net(BATCH, wanted), BATCH)
        optimiser.zero_grad()
        sum(losses[name] for name in wanted).backward()
        optimiser.step()
        said.append({name: losses[name].item() for name in wanted})
    assert all(said[-1][name] < 0.7 * said[0][name] for name in wanted)
