"""Context from a memory of the whole data set."""

from .mcibi import MCIBI
from .pyramid import build_pyramid_convs, run_pyramid
from .update import Momentum, class_means, momentum_for
from .withinimage import build_context_within_image
