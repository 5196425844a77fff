"""Chebyshev graph convolution (Defferrard et al. 2016; MVHM eq. 4) on a graph that all items of a batch share.

Activations are node-major, (N, B, F): a product with the sparse Laplacian then reads and writes whole rows of B F
numbers. Two operators do all of it, each the other's adjoint because the Laplacian is symmetric:

    chebyshev_basis   x        -> T_0(L) x, T_1(L) x, ...           by T_k = 2 L T_(k-1) - T_(k-2)
    chebyshev_sum     y_0, ... -> T_0(L) y_0 + T_1(L) y_1 + ...     by Clenshaw's recurrence

So the backward pass of one is the other; the Laplacian never gets a gradient. Everything here stays in float32 under
autocast, which leaves products with an `out` alone: it is a thousandth of the nets' arithmetic, and bfloat16 made it
slower on a CPU. The CPU path is tested; the GPU path is the same calls (cuSPARSE), with which an H100 trained.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from functools import cache

import torch
from scipy import sparse
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from rigging.errors import InputError


@torch.library.custom_op("mvhm::chebyshev_basis", mutates_args=())
def chebyshev_basis(crow: Tensor, col: Tensor, values: Tensor, x: Tensor, terms: int) -> Tensor:
    """(terms, N, M) T_k(L) x, k = 0 ... terms - 1, of x (N, M); L (N, N) symmetric, as CSR with int32 indices."""
    laplacian, out = _matrix(crow, col, values), x.new_empty(terms, *x.shape)
    out[0] = x
    if terms > 1:
        _multiply(laplacian, x, None, 1, out[1])
    for k in range(2, terms):
        _multiply(laplacian, out[k - 1], out[k - 2], 2, out[k])
    return out


@torch.library.custom_op("mvhm::chebyshev_sum", mutates_args=())
def chebyshev_sum(crow: Tensor, col: Tensor, values: Tensor, y: Tensor) -> Tensor:
    """(N, M) the sum of T_k(L) y_k over k, of y (terms, N, M); L as in `chebyshev_basis`.

    Clenshaw: b_k = y_k + 2 L b_(k+1) - b_(k+2), the sum is y_0 + L b_1 - b_2.
    """
    laplacian, terms = _matrix(crow, col, values), len(y)
    b1 = y[terms - 1]
    b2: Tensor | None = None
    for k in range(terms - 2, -1, -1):
        b = torch.empty_like(b1)
        _multiply(laplacian, b1, b2, 2 if k else 1, b)
        b1, b2 = b.add_(y[k]), b1
    return b1.clone() if terms == 1 else b1


def _matrix(crow: Tensor, col: Tensor, values: Tensor) -> Tensor:
    nodes = len(crow) - 1
    return torch.sparse_csr_tensor(crow, col, values, (nodes, nodes), check_invariants=False)


def _multiply(laplacian: Tensor, x: Tensor, minus: Tensor | None, factor: int, out: Tensor) -> None:
    """out = factor * L x - minus, in one pass over memory."""
    if minus is None:
        torch.addmm(x, laplacian, x, beta=0, alpha=factor, out=out)
    else:
        torch.addmm(minus, laplacian, x, beta=-1, alpha=factor, out=out)


@chebyshev_basis.register_fake
def _(crow: Tensor, col: Tensor, values: Tensor, x: Tensor, terms: int) -> Tensor:
    return x.new_empty(terms, *x.shape)


@chebyshev_sum.register_fake
def _(crow: Tensor, col: Tensor, values: Tensor, y: Tensor) -> Tensor:
    return y.new_empty(y.shape[1:])


def _keep_graph(ctx: object, inputs: tuple, output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:3])
    ctx.terms = inputs[4] if len(inputs) == 5 else len(inputs[3])


def _basis_backward(ctx: object, gradient: Tensor) -> tuple:
    return None, None, None, chebyshev_sum(*ctx.saved_tensors, gradient.contiguous()), None


def _sum_backward(ctx: object, gradient: Tensor) -> tuple:
    return None, None, None, chebyshev_basis(*ctx.saved_tensors, gradient.contiguous(), ctx.terms)


chebyshev_basis.register_autograd(_basis_backward, setup_context=_keep_graph)
chebyshev_sum.register_autograd(_sum_backward, setup_context=_keep_graph)


@cache
def _silence_beta() -> None:
    """Use up torch's warning, given once a process, that sparse CSR is in beta."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        index = torch.zeros(1, dtype=torch.int32)
        torch.sparse_csr_tensor(index.new_zeros(2), index[:0], torch.zeros(0), (1, 1), check_invariants=False)


class Laplacian(nn.Module):
    """The scaled Laplacian of a graph with N nodes, which convolutions on that graph share; not a part of weights."""

    def __init__(self, matrix: sparse.csr_array) -> None:
        super().__init__()
        _silence_beta()
        self.nodes = matrix.shape[0]
        self.register_buffer("crow", torch.from_numpy(matrix.indptr.astype("int32")), persistent=False)
        self.register_buffer("col", torch.from_numpy(matrix.indices.astype("int32")), persistent=False)
        self.register_buffer("values", torch.from_numpy(matrix.data.astype("float32")), persistent=False)

    def basis(self, x: Tensor, terms: int) -> Tensor:
        """(terms, N, B, F) T_k(L) x of x (N, B, F)."""
        flat = at_least_float32(x).reshape(self.nodes, -1)
        return chebyshev_basis(self.crow, self.col, self._like(flat), flat, terms).view(terms, *x.shape)

    def sum(self, y: Tensor) -> Tensor:
        """(N, B, F) the sum of T_k(L) y_k, of y (terms, N, B, F)."""
        flat = at_least_float32(y).reshape(len(y), self.nodes, -1)
        return chebyshev_sum(self.crow, self.col, self._like(flat), flat).view(y.shape[1:])

    def _like(self, x: Tensor) -> Tensor:
        return self.values.to(x.dtype)


def at_least_float32(x: Tensor) -> Tensor:
    """`x` (...), in float32 if it is in less."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


class GraphConv(nn.Module):
    """y = sum over k < terms of T_k(L) x theta_k, plus a bias (Defferrard et al. 2016, eq. 5; MVHM eq. 4, S + 1 terms).

    Unless there are more features after than before, they are mixed first, so that fewer are propagated and no basis
    is kept for the backward pass. Forward of x (N, B, inputs) gives (N, B, outputs).
    """

    def __init__(self, laplacian: Laplacian, inputs: int, outputs: int, terms: int = 3, bias: bool = True) -> None:
        super().__init__()
        if terms < 1:
            raise InputError(f"a graph convolution of {terms} terms: at least 1 is wanted")
        self.laplacian, self.mix_first = laplacian, outputs <= inputs
        self.weight = nn.Parameter(torch.empty(terms, inputs, outputs))
        self.bias = nn.Parameter(torch.empty(outputs)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot's uniform weights over the terms' inputs together, no bias."""
        terms, inputs, outputs = self.weight.shape
        bound = math.sqrt(6 / (terms * inputs + outputs))
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, B, outputs), at least float32, of x (N, B, inputs)."""
        terms, inputs, outputs = self.weight.shape
        x = at_least_float32(x)
        weight = self.weight.to(x.dtype)
        if self.mix_first:
            mixed = mix(x.reshape(-1, inputs), weight)
            result = self.laplacian.sum(mixed.view(terms, *x.shape[:2], outputs))
        else:
            basis = self.laplacian.basis(x, terms)
            result = mix_and_add(basis.view(terms, -1, inputs), weight).view(*x.shape[:2], outputs)
        return result if self.bias is None else result + self.bias

    def extra_repr(self) -> str:
        terms, inputs, outputs = self.weight.shape
        return f"{inputs} -> {outputs}, {terms} terms"


class GraphBlock(nn.Module):
    """Graph convolution, batch normalisation over nodes and batch, ReLU: (N, B, inputs) to (N, B, outputs)."""

    def __init__(self, laplacian: Laplacian, inputs: int, outputs: int, terms: int) -> None:
        super().__init__()
        self.convolution = GraphConv(laplacian, inputs, outputs, terms, bias=False)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, B, inputs) to (N, B, outputs)."""
        x = self.convolution(x)
        return self.norm(x.flatten(0, 1)).view(x.shape).relu_()


def mix(x: Tensor, weight: Tensor) -> Tensor:
    """(K, n, o) x theta_k for every k, of x (n, i) and theta (K, i, o)."""
    return _Mix.apply(x, weight)


def mix_and_add(x: Tensor, weight: Tensor) -> Tensor:
    """(n, o) the sum over k of x_k theta_k, of x (K, n, i) and theta (K, i, o)."""
    return _MixAndAdd.apply(x, weight)


class _Mix(torch.autograd.Function):
    """`mix`; its backward pass makes no copy of anything that is as large as the activations."""

    @staticmethod
    def forward(ctx: object, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _products([x] * len(weight), weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: object, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        to_x = _sum_of_products(gradient, weight.mT) if ctx.needs_input_grad[0] else None
        return to_x, _products([x.T] * len(weight), gradient) if ctx.needs_input_grad[1] else None


class _MixAndAdd(torch.autograd.Function):
    """`mix_and_add`, the adjoint of `mix`."""

    @staticmethod
    def forward(ctx: object, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _sum_of_products(x, weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: object, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        to_x = _products([gradient] * len(weight), weight.mT) if ctx.needs_input_grad[0] else None
        return to_x, _products(x.mT, [gradient] * len(weight)) if ctx.needs_input_grad[1] else None


def _products(left: Sequence[Tensor], right: Sequence[Tensor]) -> Tensor:
    """(K, n, m) the K matrix products; `matmul` would copy what is broadcast."""
    result = left[0].new_empty(len(left), left[0].shape[0], right[0].shape[1])
    for one, other, out in zip(left, right, result):
        torch.mm(one, other, out=out)
    return result


def _sum_of_products(left: Sequence[Tensor], right: Sequence[Tensor]) -> Tensor:
    """(n, m) the sum of the K matrix products."""
    result = left[0].new_empty(left[0].shape[0], right[0].shape[1])
    torch.mm(left[0], right[0], out=result)
    for one, other in zip(left[1:], right[1:]):
        result.addmm_(one, other)
    return result
