"""Several processes: who reads which sample, and how gradients meet."""

from .dataloader import BuildDistributedDataloader
from .model import BuildDistributedModel
