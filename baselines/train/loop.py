"""One loop that trains every estimator: stages in a row, each of which says what learns, from which losses, how fast.

Everything random in a step follows from (seed, stage, epoch, step, rank). So a training that was killed goes on from
its last state as if nothing had happened: on the CPU to the same weights, bit by bit.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from rigging.errors import InputError

from ..batch import Batch
from ..config import Config, Stage
from ..data.batches import Batches, seed_of
from ..data.mixture import MixedBatches
from ..data.source import Source
from ..estimator import Estimator, Output
from ..registry import create_estimator, estimator_class
from .cached import CachedBatches
from .checkpoint import Position, State, fill, load_state, restore, save_state, save_weights
from .faults import is_out_of_memory, out_of_memory
from .forward import forward, place
from .initial import initialise
from .keeper import Keeper
from .optimise import Learning, learn, learning_rate, set_rate, start_learning
from .ranks import Ranks, joined
from .record import Sources, check_labels, record
from .run_folder import RunFolder

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """What all steps of a training share."""

    config: Config
    batches: Batches | MixedBatches
    estimator: Estimator
    network: Callable[..., Output]  # the estimator, or what torch.compile makes of it
    device: torch.device
    ranks: Ranks
    folder: RunFolder


def train(
    config: Config,
    source: Source | Sources,
    out: Path | str,
    *,
    resume: bool = False,
    init: Path | str | None = None,
    device: str = "",
) -> Path:
    """Train an estimator; returns the folder `out` of the run, which `load_run` reads.

    `source` is one, or several with the share of every batch that each gets: [(real, 0.5), (release, 0.5)].
    With `resume` a run that was interrupted in `out` goes on, one that is finished is left as it is, and where there is
    none one begins. `init` names weights to begin from. `device` is "cpu", "cuda", "cuda:1", or "" for a GPU where
    there is one. Started by torchrun, each process trains on its share of every batch. Raises InputError, Diverged,
    OSError.
    """
    folder, sources = RunFolder(out), source if isinstance(source, Sequence) else [(source, 1.0)]
    with joined(device) as (ranks, chosen):
        folder.check(config, resume)
        ranks.wait()  # no rank looks into the folder after another has written to it
        if not folder.weights.exists():
            with _seeded(config.train.seed, chosen):
                _train(config, sources, folder, init, chosen, ranks)
            ranks.wait()
    return folder.path


def _train(
    config: Config, sources: Sources, folder: RunFolder, init: Path | str | None, device: torch.device, ranks: Ranks
) -> None:
    """Train from the state in the folder, or from the beginning, to the end."""
    estimator = create_estimator(config.estimator, **config.model)
    state = _begin(estimator, folder, init)
    if state.tensors:
        check_labels(folder, sources)
    place(estimator, device, config.train)
    network = torch.compile(estimator) if config.train.compile else estimator
    run = Run(config, make_batches(config, sources, device, ranks), estimator, network, device, ranks, folder)
    check_stages(run, sources)
    if ranks.first and not state.tensors:
        folder.begin(config, record(config, estimator, sources, init, device, ranks.count))
        save_state(folder.state, estimator, Position())
    for number in range(state.position.stage, len(config.stages)):
        state = State(_train_stage(run, config.stages[number], state))
    if ranks.first:
        save_weights(folder.weights, estimator)
        folder.state.unlink(missing_ok=True)


def _begin(estimator: Estimator, folder: RunFolder, init: Path | str | None) -> State:
    """Give the estimator the weights to begin with: those of the folder's state, of `init`, or those it has."""
    if folder.state.exists():
        state = load_state(folder.state, estimator.name)
        fill(estimator, state.of("model"), str(folder.state))
        if folder.threads() != torch.get_num_threads():
            log.warning("begun with %s threads: on the CPU, last digits depend on their number", folder.threads())
        return state
    if init:
        initialise(estimator, init)
    return State()


def _train_stage(run: Run, stage: Stage, state: State) -> Position:
    """Train one stage, from `state` on; keeps the state at its end, and says where that is."""
    at, seed, rank = state.position, run.config.train.seed, run.ranks.rank
    batches = _cached(run) if stage.cached and stage.epochs else run.batches
    learning = start_learning(run.estimator, stage, run.config.train.ema)
    restore(state, run.estimator, learning)
    with Keeper(run, stage, batches, learning, at) as keeper:
        for epoch in range(at.epoch, stage.epochs):
            first = at.step if epoch == at.epoch else 0
            for step, batch in enumerate(batches.epoch(at.stage, epoch, first), first):
                torch.manual_seed(seed_of(seed, at.stage, epoch, step, rank))  # of dropout
                done, steps = epoch * len(batches) + step, stage.epochs * len(batches)
                set_rate(learning.optimiser, learning_rate(stage, done, steps))
                losses, norm = take_step(run, stage, learning, batch)
                keeper.note(epoch, step, batch, losses, norm)
        learning.average.apply()
        return keeper.end()


def take_step(run: Run, stage: Stage, learning: Learning, batch: Batch) -> tuple[dict[str, Tensor], Tensor]:
    """Change the weights once. Returns the losses (), `loss` their weighted sum, and the norm () of the gradients."""
    learning.optimiser.zero_grad(set_to_none=True)
    losses = within_memory(run, stage, batch)
    run.ranks.average(run.estimator)
    norm = nn.utils.clip_grad_norm_(learning.parameters, run.config.train.clip or float("inf"))
    learning.optimiser.step()
    learning.average.update()
    return losses, norm


def within_memory(run: Run, stage: Stage, batch: Batch) -> dict[str, Tensor]:
    """Losses, gradients computed. Raises InputError that says how many crops fit into memory if these do not."""

    def attempt(crops: int) -> dict[str, Tensor]:
        part = batch if crops == len(batch) else batch.map(lambda tensor: tensor[:crops])
        losses = stage_losses(run, stage, part)
        losses["loss"].backward()
        return losses

    try:
        return attempt(len(batch))
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    raise out_of_memory(f"stage {stage.name!r}", len(batch), batch.views, run.ranks.count, attempt)


def stage_losses(run: Run, stage: Stage, batch: Batch) -> dict[str, Tensor]:
    """The losses that have a weight in the stage, and their weighted sum as `loss`."""
    weights = {name: weight for name, weight in stage.losses.items() if weight}
    output = forward(run.network, batch, run.config.train, frozenset(weights))
    losses = run.estimator.losses(output, batch)
    chosen = {name: losses[name] for name in weights}
    return chosen | {"loss": sum(weight * chosen[name] for name, weight in weights.items())}


def make_batches(config: Config, sources: Sources, device: torch.device, ranks: Ranks) -> Batches | MixedBatches:
    """This rank's share of every batch. Raises InputError for a field the data lack, or a batch that does not part."""
    cls, data, share = estimator_class(config.estimator), config.data, (ranks.rank, ranks.count)
    views = data.views if cls.multi_view else 1
    if data.batch % (ranks.count * views):
        raise InputError(f"data.batch = {data.batch}: {ranks.count} processes with {views} views each cannot share it")
    data = dataclasses.replace(data, batch=data.batch // ranks.count)
    needed = [name for name in cls.fields if any(name in one.fields for one, _ in sources)]  # see check_stages
    options = {"needed": needed, "multi_view": cls.multi_view, "device": device, "share": share}
    if len(sources) == 1:
        return Batches(sources[0][0], data, config.augment, config.train.seed, **options)
    return MixedBatches(*zip(*sources), data, config.augment, config.train.seed, **options)


def _cached(run: Run) -> CachedBatches:
    """Batches of what frozen parts say of every crop, which is computed here, without augmentation."""
    estimator, batches, share = run.estimator.eval(), run.batches, (run.ranks.rank, run.ranks.count)
    if not hasattr(estimator, "precompute"):
        raise InputError(f"a stage has cached = true, but the estimator {estimator.name!r} precomputes nothing")

    def precompute(batch: Batch) -> Output:
        return forward(lambda batch, wanted: estimator.precompute(batch), batch, run.config.train)

    return CachedBatches(precompute, batches.ordered(), batches.crops, batches.data.batch, run.config.train.seed, share)


@torch.no_grad()
def check_stages(run: Run, sources: Sources) -> None:
    """Find out on one sample, before anything is written, whether there are all parts and losses that stages name."""
    first = next(run.batches.epoch(0, 0))
    batch = first.map(lambda tensor: tensor[: first.views])
    run.estimator.eval()
    losses = run.estimator.losses(forward(run.estimator, batch, run.config.train), batch)
    lacking = [name for name in run.estimator.fields if not any(name in one.fields for one, _ in sources)]
    why = f" (the data have no {', '.join(lacking)})" if lacking else ""
    for stage in run.config.stages:
        learn(run.estimator, stage)
        wanted = [name for name, weight in stage.losses.items() if weight and stage.epochs]
        if missing := [name for name in wanted if name not in losses]:
            raise InputError(f"stage {stage.name!r}: no loss {missing[0]!r} can be had, only {', '.join(losses)}{why}")


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Weights are drawn from torch's generator, begun with `seed`; afterwards it is as it was."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
