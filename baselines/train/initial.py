"""Weights to begin from: a user's own file, or those of another run, taken over by name where they fit."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from rigging.errors import InputError

log = logging.getLogger(__name__)

WRAPPERS = ("module.", "model.", "_orig_mod.", "backbone.")  # what training code puts before names


def initialise(estimator: nn.Module, path: Path | str) -> int:
    """Take over what fits by name and shape of `path`: a run's folder, safetensors, or what torch.save wrote.

    Names are tried as they are, without a wrapper's prefix, and below each part of the estimator: weights of a
    single-view run fit the part `single` of a multi-view estimator. Says what fits; returns how many tensors do.
    Raises InputError if none does, FileNotFoundError.
    """
    tensors = read_tensors(Path(path))
    wanted = estimator.state_dict()
    prefixes = ["", *(f"{name}." for name, _ in estimator.named_children())]
    candidates = [_renamed(tensors, cut, prefix) for cut in ("", *WRAPPERS) for prefix in prefixes]
    best = max((_fitting(candidate, wanted) for candidate in candidates), key=len)
    if not best:
        raise InputError(f"--init {path}: of its {len(tensors)} tensors none has a name and shape of this estimator's")
    left = estimator.load_state_dict(best, strict=False).missing_keys
    log.info("%s: %d of its %d tensors fit, of %d in the estimator", path, len(best), len(tensors), len(wanted))
    if left:
        log.info("as drawn: %s%s", ", ".join(left[:8]), f" and {len(left) - 8} more" if len(left) > 8 else "")
    return len(best)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name; nothing in it is executed. Raises InputError, FileNotFoundError."""
    path = path / "weights.safetensors" if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return _tensors(torch.load(path, map_location="cpu", weights_only=True))
    except (SafetensorError, RuntimeError, EOFError, ValueError) as error:
        raise InputError(f"{path}: no weights could be read ({str(error).splitlines()[0]})") from error
    except Exception as error:  # pickle.UnpicklingError, and what damaged pickles raise besides
        raise InputError(f"{path}: no file of safetensors, nor of torch.save with tensors alone") from error


def _tensors(saved: Any) -> dict[str, Tensor]:
    """The tensors of a saved dict, or of the dict of them that it holds (state_dict, model, ...)."""
    if not isinstance(saved, Mapping):
        raise ValueError("no dict of tensors")
    tensors = {str(name): one for name, one in saved.items() if isinstance(one, Tensor)}
    inner = [one for one in saved.values() if isinstance(one, Mapping)]
    if len(tensors) < 2 and inner:
        return max(map(_tensors, inner), key=len)
    return tensors


def _renamed(tensors: Mapping[str, Tensor], cut: str, prefix: str) -> dict[str, Tensor]:
    return {prefix + name.removeprefix(cut): one for name, one in tensors.items()}


def _fitting(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: one for name, one in tensors.items() if name in wanted and wanted[name].shape == one.shape}
