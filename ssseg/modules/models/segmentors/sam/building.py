"""Models of the SAM family, published or a user's own, with their weights."""

import copy
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ....utils import safeload
from ....utils.download import announced_digest, download
from ....utils.errors import CheckpointError, ConfigError, ResourceError, listed
from ....utils.stateloading import load_state
from ..builder import BuildSegmentor
from .published import DIGESTS

_LOGGER = logging.getLogger(__name__)
Cfgs = Mapping[str, Callable[[], dict[str, Any]]]
"""What makes the cfg of a published model, with its `ckptpath`, by the flag that asks for it."""


def build_promptable(
    kind: str,
    cfg: Mapping[str, Any] | None,
    flags: Mapping[str, bool],
    published: Cfgs,
    device: str | torch.device | None,
    strict: bool,
    cfg_name: str = "sam_cfg",
) -> Any:
    """Return a model in eval mode, on its device, with its weights.

    Args:
        kind: a registered segmentor.
        cfg: the user's, or None.
        flags: which of the published models are asked for.
        device: None means the GPU where there is one, else the CPU.
        strict: require that all entries of the checkpoint and of the model fit.
        cfg_name: how the user's argument is called.

    Raises:
        ConfigError: not exactly one model is asked for.
        CheckpointError, DownloadError: its weights cannot be had or do not fit.
        ResourceError: the device is not there.
    """
    asked = [name for name, wanted in flags.items() if wanted]
    if len(asked) + (cfg is not None) != 1:
        given = listed([*([cfg_name] if cfg is not None else []), *asked]) or "nothing"
        raise ConfigError(
            f"{kind}: {given} is given; give one of {cfg_name}, {listed(f'{name}=True' for name in flags)}."
        )
    where = choose_device(device)
    chosen = copy.deepcopy(dict(cfg)) if cfg is not None else published[asked[0]]()
    ckptpath = chosen.pop("ckptpath", None)
    model = BuildSegmentor({**chosen, "type": kind}, mode="TEST")
    if ckptpath:
        load_weights(model, str(ckptpath), strict)
    return model.to(where)


def load_weights(model: nn.Module, address: str, strict: bool) -> None:
    """Load the weights at an address into `model`; what is not there is logged, or with `strict` an error.

    Raises:
        CheckpointError, DownloadError: see `read_weights` and `load_state`; or nothing fits.
    """
    kept = load_state(model, read_weights(address), partial=not strict, source=address)
    if len(kept) == len(model.state_dict()):
        raise CheckpointError(f"{address}: nothing in it fits this {type(model).__name__}.")
    if kept:
        _LOGGER.warning("%s: has no weights for %s, which keep their initial values", address, listed(kept, 6))


def read_weights(address: str) -> Mapping[str, Any]:
    """Return the weights in a file, or in the one at an https address, which is fetched once.

    Raises:
        CheckpointError: the file is missing or damaged, or it is not the published one of that name.
        DownloadError: it could not be fetched.
    """
    path = download(address) if address.startswith("https://") else Path(address)
    digest = DIGESTS.get(path.name, announced_digest(path.name)) if path != Path(address) else None
    contents = safeload.load(path, expected_sha256_prefix=digest)
    return contents.get("model", contents)


def choose_device(device: str | torch.device | None) -> torch.device:
    """Return the device; None means the GPU where there is one, else the CPU. ResourceError where it is not there."""
    chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ResourceError(f"device={str(device)!r}: torch {torch.__version__} finds no GPU to use. Try device='cpu'.")
    return chosen
