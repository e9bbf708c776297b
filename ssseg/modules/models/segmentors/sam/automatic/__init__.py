"""What finds all objects of a picture: grids of points, crops, stability, suppression of doubles, run lengths."""

from .boxes import boxes_of_masks, near_inner_edges, xywh
from .crops import crop_boxes
from .grids import point_grid, point_grids
from .nms import iou_of_boxes, nms
from .regions import remove_small_regions
from .rle import area_of_rle, coco_rle, mask_of_rle, rle_of_mask
from .stability import stability_score
