from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ....utils.errors import ConfigError, ShapeError
from .building import build_promptable
from .prompts import box_prompt, mask_prompt, points_prompt, require_batch, require_image
from .published import SAM_CFGS
from .sam import SAM
from .transforms import ResizeLongestSide, Size

Prediction = tuple[NDArray[Any], NDArray[np.float32], NDArray[np.float32]]


class ImagePredictor:
    """Answers prompts in a picture that is encoded once.

    Args:
        model: of the SAM family, in eval mode.
    """

    def __init__(self, model: SAM):
        self.model = model
        self.transform = ResizeLongestSide(model.img_size)
        self.encoded: list[Tensor] = []

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.model.device

    def setimage(self, image: NDArray[np.uint8], image_format: str = "RGB") -> None:
        """Encode a picture.

        Args:
            image: (H, W, 3) uint8.
            image_format: "RGB", or "BGR" as OpenCV reads pictures.

        Raises:
            ShapeError, DataError: it is something else.
            ConfigError: the format is unknown.
        """
        require_image(image)
        if image_format not in ("RGB", "BGR"):
            raise ConfigError(f"image_format: is {image_format!r}, must be 'RGB' or 'BGR'.")
        if image_format != self.model.image_format:
            image = image[..., ::-1]
        resized = torch.from_numpy(self.transform.applyimage(np.ascontiguousarray(image)))
        self.settorchimage(resized.permute(2, 0, 1)[None], (image.shape[0], image.shape[1]))

    @torch.no_grad()
    def settorchimage(self, transformed_image: Tensor, original_image_size: Size) -> None:
        """Encode a picture that is resized already.

        Args:
            transformed_image: (1, 3, h, w), RGB in 0..255; the longer side has `model.img_size` pixels.
            original_image_size: (H, W) before.

        Raises:
            ShapeError: the shape is another one.
        """
        shape = tuple(transformed_image.shape)
        if len(shape) != 4 or shape[:2] != (1, 3) or max(shape[2:]) != self.model.img_size:
            raise ShapeError(
                f"transformed_image: is {shape}, must be (1, 3, h, w) whose longer side is {self.model.img_size}; "
                "predictor.transform resizes pictures so."
            )
        self.resetimage()
        self.encoded = self.model.encode(self.model.preprocess(transformed_image))
        self.original_size: Size = (original_image_size[0], original_image_size[1])
        self.input_size: Size = (shape[2], shape[3])

    def getimageembedding(self) -> Tensor:
        """Return the map of the picture, (1, C, h, w); ConfigError where there is none."""
        self._require_set("getimageembedding")
        return self.encoded[0]

    def resetimage(self) -> None:
        """Forget the picture."""
        self.encoded = []

    @property
    def is_image_set(self) -> bool:
        """Whether there is a picture."""
        return bool(self.encoded)

    def decode(
        self, coords: Tensor | None, labels: Tensor | None, boxes: Tensor | None, masks: Tensor | None, **options: Any
    ) -> tuple[Tensor, Tensor]:
        """Return logits (B, M, 4h, 4w) of the padded square, and qualities (B, M)."""
        points = None if coords is None or labels is None else (coords, labels)
        return self.model.decode(self.encoded, points, boxes, masks, **options)

    def enlarge(self, low_res: Tensor) -> Tensor:
        """Return logits (B, M, ., .) at the size of the picture, (B, M, H, W)."""
        return self.model.postprocessmasks(low_res, self.input_size, self.original_size)

    def answer(
        self, coords: Any, labels: Any, box: Any, mask_input: Any, return_logits: bool, **options: Any
    ) -> Prediction:
        """Return what `predict` does; `options` are those of the model's `decode`."""
        self._require_set("predict")
        points, corners = points_prompt(coords, labels), box_prompt(box)
        logits = mask_prompt(mask_input, self.model.prompt_encoder.mask_input_size)
        point_tensors: tuple[Tensor | None, Tensor | None] = (None, None)
        if points:
            places = torch.from_numpy(self.transform.applycoords(points[0], self.original_size)).float()
            point_tensors = (places[None].to(self.device), torch.from_numpy(points[1])[None].to(self.device))
        boxes = None if corners is None else self.transform.applyboxes(corners, self.original_size)
        results = self.answer_torch(
            *point_tensors,
            None if boxes is None else torch.from_numpy(boxes).float().to(self.device),
            None if logits is None else torch.from_numpy(logits)[None].to(self.device),
            return_logits,
            **options,
        )
        masks, iou, low_res = (result[0].cpu() for result in results)  # autocast makes numbers that NumPy does not have
        return (masks.float() if return_logits else masks).numpy(), iou.float().numpy(), low_res.float().numpy()

    @torch.no_grad()
    def answer_torch(
        self,
        coords: Tensor | None,
        labels: Tensor | None,
        boxes: Tensor | None,
        mask_input: Tensor | None,
        return_logits: bool,
        **options: Any,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return what `predicttorch` does; `options` are those of the model's `decode`."""
        self._require_set("predicttorch")
        require_batch(coords, labels, boxes, mask_input, self.model.prompt_encoder.mask_input_size)
        low_res, iou = self.decode(coords, labels, boxes, mask_input, **options)
        masks = self.enlarge(low_res)
        return masks if return_logits else masks > self.model.mask_threshold, iou, low_res

    def _require_set(self, what: str) -> None:
        if not self.is_image_set:
            raise ConfigError(f"{type(self).__name__}.{what}: no picture is set; call setimage(image) first.")


class SAMPredictor(ImagePredictor):
    """Answers prompts in a picture with SAM, which encodes it once.

    Paper: Kirillov et al., "Segment Anything", ICCV 2023, arXiv:2304.02643.

    Args:
        sam_cfg: the model, as `SAM` takes it, with `ckptpath`, a file or an https address, of its weights; without one
            they are random.
        use_default_sam_h, use_default_sam_l, use_default_sam_b: take a published model instead, and fetch its weights
            once.
        device: None means the GPU where there is one, else the CPU.
        load_ckpt_strict: require that the weights fit the model entry by entry.

    Raises:
        ConfigError: none of them is given, or several.
        CheckpointError, DownloadError: the weights cannot be had or do not fit.
        ResourceError: the device is not there.
    """

    def __init__(
        self,
        sam_cfg: Mapping[str, Any] | None = None,
        use_default_sam_h: bool = False,
        use_default_sam_l: bool = False,
        use_default_sam_b: bool = False,
        device: str | torch.device | None = None,
        load_ckpt_strict: bool = True,
    ):
        flags = {
            "use_default_sam_h": use_default_sam_h,
            "use_default_sam_l": use_default_sam_l,
            "use_default_sam_b": use_default_sam_b,
        }
        super().__init__(build_promptable("SAM", sam_cfg, flags, SAM_CFGS, device, load_ckpt_strict))

    def predict(
        self,
        point_coords: NDArray[Any] | None = None,
        point_labels: NDArray[Any] | None = None,
        box: NDArray[Any] | None = None,
        mask_input: NDArray[Any] | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
    ) -> Prediction:
        """Return the masks of an object that is marked by points, a box, a mask, or several of them.

        Args:
            point_coords: (P, 2), x and y in pixels of the picture.
            point_labels: (P,), 1 on the object, 0 beside it.
            box: (4,), x0, y0, x1, y1 in pixels of the picture.
            mask_input: (1, 4 * grid, 4 * grid), one of the third results of an earlier call.
            multimask_output: return three masks, for prompts that may mean several things, not one.
            return_logits: return numbers, positive on the object, in place of masks.

        Returns:
            masks: (M, H, W) bool, or float32 with `return_logits`.
            qualities: (M,), estimates of the intersection over union with the object.
            low_res: logits (M, 4 * grid, 4 * grid).

        Raises:
            ConfigError: no picture is set.
            ShapeError, DataError: a prompt has another shape, or holds what cannot be.
        """
        return self.answer(
            point_coords, point_labels, box, mask_input, return_logits, multimask_output=multimask_output
        )

    def predicttorch(
        self,
        point_coords: Tensor | None,
        point_labels: Tensor | None,
        boxes: Tensor | None = None,
        mask_input: Tensor | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the masks of B objects, each with prompts of its own: `predict` for tensors on the model's device.

        Args:
            point_coords: (B, P, 2) in pixels of the resized picture, as `transform.applycoordstorch` returns them.
            point_labels: (B, P).
            boxes: (B, 4), as `transform.applyboxestorch` returns them.
            mask_input: (B, 1, 4 * grid, 4 * grid).

        Returns:
            masks (B, M, H, W), qualities (B, M), low_res (B, M, 4 * grid, 4 * grid)
        """
        return self.answer_torch(
            point_coords, point_labels, boxes, mask_input, return_logits, multimask_output=multimask_output
        )
