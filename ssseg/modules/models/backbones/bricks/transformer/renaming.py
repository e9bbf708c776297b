"""Entries of other projects' files, by our names."""

import re
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

Rule = tuple[str, str | Callable[[re.Match[str]], str]]


def renamed(state: Mapping[str, Tensor], rules: Sequence[Rule]) -> dict[str, Tensor]:
    """Return `state` with each rule, a regular expression and what replaces it, applied to every name, in order."""
    result = {}
    for name, value in state.items():
        new = name
        for pattern, replacement in rules:
            new = re.sub(pattern, replacement, new)
        result[new] = value
    return result


def with_joined_projections(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return `state` with each `attn.q` and `attn.kv`, and their `attn.proj`, as what nn.MultiheadAttention holds."""
    owners = {name.removesuffix("q.weight") for name in state if name.endswith(".attn.q.weight")}
    result = {}
    for name, value in state.items():
        owner, _, part = name.rpartition(".attn.")
        owner += ".attn."
        if owner not in owners:
            result[name] = value
        elif part.startswith("q."):
            kind = part.removeprefix("q.")
            result[f"{owner}attn.in_proj_{kind}"] = torch.cat([value, state[f"{owner}kv.{kind}"]])
        elif not part.startswith("kv."):
            result[owner + re.sub(r"^proj\.", "attn.out_proj.", part)] = value
    return result
