"""Layers of transformers that predict masks."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ....utils.errors import ConfigError
from ...backbones.bricks.transformer import sine_positions, tokens_of


def add_branch(x: Tensor, branch: Callable[[Tensor], Tensor], norm: nn.Module, *, pre_norm: bool) -> Tensor:
    """Return x plus its branch, normalized: the input of the branch with `pre_norm`, else the sum.

    Paper: Xiong et al., "On Layer Normalization in the Transformer Architecture", ICML 2020, arXiv:2002.04745,
    figure 1.
    """
    return x + branch(norm(x)) if pre_norm else norm(x + branch(x))


def sine_tokens(x: Tensor) -> Tensor:
    """Return the positions (1, h * w, C) of the tokens of a map (N, C, h, w)."""
    positions = sine_positions((x.shape[2], x.shape[3]), x.shape[1], device=x.device)
    return tokens_of(positions[None]).to(x.dtype)


def masks_of(queries: Tensor, mask_features: Tensor) -> Tensor:
    """Return the masks' logits (N, Q, h, w): how alike each query (N, Q, C) and pixel (N, C, h, w) are."""
    return torch.einsum("nqc,nchw->nqhw", queries, mask_features)


def project_input(in_channels: int, hidden_dim: int, enforce: bool) -> nn.Module:
    """Return a 1x1 convolution, or nothing where the width is right already and `enforce` is False."""
    if in_channels == hidden_dim and not enforce:
        return nn.Identity()
    return init_conv(nn.Conv2d(in_channels, hidden_dim, 1))


def require_multiple(where: str, width: int, of: int, reason: str) -> None:
    """Raise ConfigError unless the width at `where` is a multiple of `of`."""
    if width < 1 or width % of:
        raise ConfigError(f"{where}: is {width}, must be a multiple of {of}, {reason}.")


def require_predictor(where: str, hidden_dim: int, nheads: int, mask_classification: bool) -> None:
    """Raise ConfigError where the fields at `where` make no predictor of masks and their classes."""
    require_multiple(f"{where}['hidden_dim']", hidden_dim, nheads, "'nheads'")
    require_multiple(f"{where}['hidden_dim']", hidden_dim, 4, "for sine and cosine of two axes")
    if not mask_classification:
        raise ConfigError(f"{where}['mask_classification']: is False, must be True: the classes of masks are needed.")


def init_xavier(module: nn.Module) -> None:
    """Draw every matrix of `module` anew.

    Source: Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.
    """
    for parameter in module.parameters():
        if parameter.ndim > 1:
            nn.init.xavier_uniform_(parameter)


def init_conv(conv: nn.Conv2d) -> nn.Conv2d:
    """Draw the weights of a convolution evenly, with variance 1 / fan-in, set its bias to 0, and return it.

    Source: He et al., "Delving Deep into Rectifiers", ICCV 2015, arXiv:1502.01852, section 2.2, without the rectifier.
    """
    nn.init.kaiming_uniform_(conv.weight, a=1)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv
