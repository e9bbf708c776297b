"""The base configs of the data loaders, one a file."""

from ..config import registered
from .default_dataloader import DataloaderConfig

__all__ = ["REGISTERED_DATALOADER_CONFIGS", "DataloaderConfig"]

REGISTERED_DATALOADER_CONFIGS = registered(__name__, __path__, DataloaderConfig)
