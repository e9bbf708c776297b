"""Segmentation by a set of masks with a class each: what MaskFormer and Mask2Former share."""

from .assignment import assign
from .comparison import DenseComparison, PointComparison
from .criterion import MaskPrediction, MatcherWeights, SetCriterion
from .layers import (
    add_branch,
    init_conv,
    init_xavier,
    masks_of,
    project_input,
    require_multiple,
    require_predictor,
    sine_tokens,
)
from .segmentor import MaskSegmentor
from .targets import MaskTarget, read_targets
