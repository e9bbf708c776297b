"""Weights of somebody else's training, from a file or fetched from where they are published."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import safeload
from .download import announced_digest, download
from .errors import CheckpointError, ConfigError, listed, nearest


def loadpretrainedweights(
    structure_type: str,
    pretrained_model_path: str | Path = "",
    default_model_urls: Mapping[str, str] = {},
    map_to_cpu: bool = True,
    possible_model_keys: Sequence[str] = ("model", "state_dict"),
    cache_dir: str | Path | None = None,
) -> dict[str, Any]:
    """Return the weights of `structure_type`, by entry.

    Args:
        pretrained_model_path: a file; "" fetches the one that `default_model_urls` names, once.
        map_to_cpu: put them on the CPU, not on the devices from which they were saved.
        possible_model_keys: under these the weights may stand in the file; where several are there the last one counts,
            where none is, the file holds the weights themselves.
        cache_dir: where fetched files are kept; None means `checkpoints` in the folder of torch.hub.

    Raises:
        ConfigError: `default_model_urls` has no such name.
        CheckpointError: the file is missing, damaged or unsafe.
        DownloadError: the file could not be fetched.
    """
    path = Path(pretrained_model_path or _fetch(structure_type, default_model_urls, cache_dir))
    if not path.is_file():
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise CheckpointError(f"{path}: there is no such file of pretrained weights.{nearest(path.name, beside)}")
    published = any(path.name == Path(url).name for url in default_model_urls.values())
    digest = announced_digest(path.name) if published else None  # in other names such digits may be a date
    weights = safeload.load(path, expected_sha256_prefix=digest, map_to_cpu=map_to_cpu)
    for key in possible_model_keys[::-1]:
        if key in weights:
            return weights[key]
    return weights


def _fetch(structure_type: str, urls: Mapping[str, str], cache_dir: str | Path | None) -> Path:
    if structure_type not in urls:
        known = f"There are some for: {listed(urls)}." if urls else "None are published."
        raise ConfigError(
            f"SEGMENTOR_CFG['backbone']['structure_type']: there are no pretrained weights for {structure_type!r}."
            f"{nearest(structure_type, urls)} {known} Name a file in 'pretrained_model_path', or set pretrained=False."
        )
    return download(urls[structure_type], cache_dir)
