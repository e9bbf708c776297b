from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ....utils.errors import ConfigError, DataError, ShapeError
from .building import build_samv2
from .prompts import Prompts, read_prompts
from .samv2 import SAMV2
from .transforms import SAMV2Transforms, Size

Picture = NDArray[np.uint8] | Image.Image
Prediction = tuple[NDArray[Any], NDArray[np.float32], NDArray[np.float32]]

LOGIT_LIMIT = 32.0  # of masks that are returned to be prompts later


class SAMV2ImagePredictor:
    """Answers prompts in pictures with SAM 2, which encodes them once.

    Paper: Ravi et al., "SAM 2: Segment Anything in Images and Videos", arXiv:2408.00714.

    Args:
        samv2_cfg: the model, as `SAMV2` takes it, with `ckptpath`, a file or an https address, of its weights; without
            one they are random.
        use_default_samv2_t, ..._s, ..._bplus, ..._l: take a published model instead, and fetch its weights once.
        device: None means the GPU where there is one, else the CPU.
        load_ckpt_strict: require that the weights fit the model entry by entry.
        mask_threshold: the logit from which on a pixel belongs to a mask.
        max_hole_area, max_sprinkle_area: see `SAMV2Transforms`.
        apply_postprocessing: where a single mask that is asked for is not stable, take the best of several.

    Raises:
        ConfigError: no model is given, or several.
        CheckpointError, DownloadError: the weights cannot be had or do not fit.
        ResourceError: the device is not there.
    """

    def __init__(
        self,
        samv2_cfg: Mapping[str, Any] | None = None,
        use_default_samv2_t: bool = False,
        use_default_samv2_s: bool = False,
        use_default_samv2_bplus: bool = False,
        use_default_samv2_l: bool = False,
        device: str | torch.device | None = None,
        load_ckpt_strict: bool = True,
        mask_threshold: float = 0.0,
        max_hole_area: float = 0.0,
        max_sprinkle_area: float = 0.0,
        apply_postprocessing: bool = True,
    ):
        flags = {
            "use_default_samv2_t": use_default_samv2_t,
            "use_default_samv2_s": use_default_samv2_s,
            "use_default_samv2_bplus": use_default_samv2_bplus,
            "use_default_samv2_l": use_default_samv2_l,
        }
        self.model: SAMV2 = build_samv2(samv2_cfg, flags, device, load_ckpt_strict, apply_postprocessing)
        side = self.model.options.image_size
        self.transforms = SAMV2Transforms(side, mask_threshold, max_hole_area, max_sprinkle_area)
        self.encoded: list[Tensor] = []  # finest first, each (N, C, h, w)
        self.original_sizes: list[Size] = []

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.model.device

    def setimage(self, image: Picture) -> None:
        """Encode a picture, (H, W, 3) uint8, RGB, or one of Pillow.

        Raises:
            ShapeError, DataError: it is something else.
        """
        self.setimagebatch([image])

    @torch.no_grad()
    def setimagebatch(self, image_list: Sequence[Picture]) -> None:
        """Encode several pictures at once; see `setimage`. Their sizes may differ."""
        if not len(image_list):
            raise DataError("image_list: holds no pictures.")
        self.resetpredictor()
        squares = torch.stack([self.transforms(image, self.device) for image in image_list])
        _, tokens, _, sizes = self.model.preparebackbonefeatures(self.model.forwardimage(squares))
        if self.model.options.directly_add_no_mem_embed:
            tokens[-1] = tokens[-1] + self.model.no_mem_embed
        self.encoded = [x.permute(1, 2, 0).unflatten(2, size) for x, size in zip(tokens, sizes, strict=True)]
        self.original_sizes = [_size(image) for image in image_list]

    def predict(
        self,
        point_coords: NDArray[Any] | None = None,
        point_labels: NDArray[Any] | None = None,
        box: NDArray[Any] | None = None,
        mask_input: NDArray[Any] | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
        normalize_coords: bool = True,
    ) -> Prediction:
        """Return the masks of an object that is marked by points, a box, a mask, or several of them.

        Of B objects at once the results begin with B; for one that is left out.

        Args:
            point_coords: (P, 2) or (B, P, 2), x and y in pixels of the picture.
            point_labels: (P,) or (B, P), 1 on the object, 0 beside it, -1 for no point.
            box: (4,) or (B, 4), x0, y0, x1, y1 in pixels of the picture.
            mask_input: (1, h, w) or (B, 1, h, w), of the third results of an earlier call.
            multimask_output: return three masks, for prompts that may mean several things, not one.
            return_logits: return numbers, positive on the object, in place of masks.
            normalize_coords: False where points and boxes are given as shares of the picture's width and height.

        Returns:
            masks: (M, H, W) bool, or float32 with `return_logits`.
            qualities: (M,), estimates of the intersection over union with the object.
            low_res: logits (M, h, w) in -32 .. 32.

        Raises:
            ConfigError: no picture is set.
            ShapeError, DataError: a prompt has another shape, or holds what cannot be.
        """
        self._require_set("predict")
        prompts = (point_coords, point_labels, box, mask_input)
        return self._predict_one(0, prompts, multimask_output, return_logits, normalize_coords)

    def predictbatch(
        self,
        point_coords_batch: Sequence[NDArray[Any]] | None = None,
        point_labels_batch: Sequence[NDArray[Any]] | None = None,
        box_batch: Sequence[NDArray[Any]] | None = None,
        mask_input_batch: Sequence[NDArray[Any]] | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
        normalize_coords: bool = True,
    ) -> tuple[list[NDArray[Any]], list[NDArray[np.float32]], list[NDArray[np.float32]]]:
        """Return what `predict` returns for each picture of `setimagebatch`, in three lists.

        Args:
            point_coords_batch, ..., mask_input_batch: prompts for each picture, as `predict` takes them.

        Raises:
            ShapeError: there are more or fewer of them than pictures. Else see `predict`.
        """
        self._require_set("predictbatch")
        count, columns = len(self.original_sizes), []
        named = (
            ("point_coords_batch", point_coords_batch),
            ("point_labels_batch", point_labels_batch),
            ("box_batch", box_batch),
            ("mask_input_batch", mask_input_batch),
        )
        for name, given in named:
            if given is not None and len(given) != count:
                raise ShapeError(f"{name}: holds prompts for {len(given)} pictures, but {count} are set.")
            columns.append([None] * count if given is None else list(given))
        options = multimask_output, return_logits, normalize_coords
        found = [self._predict_one(i, row, *options) for i, row in enumerate(zip(*columns, strict=True))]
        masks, qualities, low_res = (list(column) for column in zip(*found, strict=True))
        return masks, qualities, low_res

    @torch.no_grad()
    def purepredict(
        self,
        point_coords: Tensor | None,
        point_labels: Tensor | None,
        boxes: Tensor | None = None,
        mask_input: Tensor | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
        img_idx: int = -1,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the masks of B objects of a picture: `predict` for tensors on the model's device.

        Args:
            point_coords, boxes: (B, P, 2) and (B, 4), in pixels of the network's input: see `transforms.coords`.
            point_labels: (B, P).
            mask_input: (B, 1, h, w).
            img_idx: number of the picture.

        Returns:
            masks (B, M, H, W), qualities (B, M), low_res (B, M, h, w)
        """
        self._require_set("purepredict")
        prompts = Prompts(point_coords, point_labels, boxes, mask_input)
        low_res, qualities = self.decode(prompts, multimask_output, img_idx)
        masks = self.transforms.postprocess(low_res, self.original_sizes[img_idx])
        masks = masks if return_logits else masks > self.transforms.mask_threshold
        return masks, qualities, low_res.clamp(-LOGIT_LIMIT, LOGIT_LIMIT)

    def decode(self, prompts: Prompts, multimask_output: bool, img_idx: int = 0) -> tuple[Tensor, Tensor]:
        """Return logits (B, M, h, w) and qualities (B, M) for prompts in pixels of the network's input.

        A box is given to the model as its corners, two points of their own kinds before the others.
        """
        points, labels = prompts.points, prompts.labels
        if prompts.boxes is not None:
            corners = prompts.boxes.reshape(-1, 2, 2)
            kinds = torch.tensor([2, 3], dtype=torch.int32, device=corners.device).expand(len(corners), 2)
            points = corners if points is None else torch.cat([corners, points], dim=1)
            labels = kinds if labels is None else torch.cat([kinds, labels.to(kinds.dtype)], dim=1)
        both = None if points is None or labels is None else (points, labels)
        sparse, dense = self.model.sam_prompt_encoder(points=both, boxes=None, masks=prompts.masks)
        *finer, coarsest = (x[img_idx : img_idx + 1 or None] for x in self.encoded)
        low_res, qualities, _, _ = self.model.sam_mask_decoder(
            image_embeddings=coarsest,
            image_pe=self.model.sam_prompt_encoder.getdensepe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=multimask_output,
            high_res_features=finer or None,
        )
        return low_res.float(), qualities

    def getimageembedding(self) -> Tensor:
        """Return the coarsest maps of the pictures, (N, C, h, w); ConfigError where there are none."""
        self._require_set("getimageembedding")
        return self.encoded[-1]

    def resetpredictor(self) -> None:
        """Forget the pictures."""
        self.encoded = []
        self.original_sizes = []

    def resetimage(self) -> None:
        """Forget the picture."""
        self.resetpredictor()

    @property
    def original_size(self) -> Size:
        """(H, W) of the picture that is set, the first of several."""
        return self.original_sizes[0]

    def _predict_one(
        self, img_idx: int, given: Sequence[Any], multimask_output: bool, return_logits: bool, normalize: bool
    ) -> Prediction:
        coords, labels, box, mask = given
        prompts = read_prompts(coords, labels, box, mask, self.model.sam_prompt_encoder.mask_input_size)
        size = self.original_sizes[img_idx]
        points, boxes = prompts.points, prompts.boxes
        scaled = Prompts(
            None if points is None else self.transforms.coords(points, size, normalize),
            prompts.labels,
            None if boxes is None else self.transforms.coords(boxes.view(-1, 2, 2), size, normalize).flatten(1),
            prompts.masks,
        ).to(self.device)
        kinds = (scaled.points, scaled.labels, scaled.boxes, scaled.masks)
        results = self.purepredict(*kinds, multimask_output, return_logits, img_idx)
        masks, qualities, low_res = (x[0] if len(x) == 1 else x for x in results)
        return masks.cpu().numpy(), qualities.float().cpu().numpy(), low_res.cpu().numpy()

    def _require_set(self, what: str) -> None:
        if not self.encoded:
            raise ConfigError(f"{type(self).__name__}.{what}: no picture is set; call setimage(image) first.")


def _size(image: Picture) -> Size:
    width, height = image.size if isinstance(image, Image.Image) else (image.shape[1], image.shape[0])
    return height, width
