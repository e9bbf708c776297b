"""What all data sets share: reading, label maps, transforms, checks, evaluation."""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..utils.errors import ConfigError, nearest
from ..utils.filekinds import shown
from ..utils.images import read_label
from ..utils.labelmap import IGNORE_INDEX, LabelMap
from .checking import check_files
from .ids import read_ids
from .labelcodes import whole
from .labelstore import LabelStore
from .options import DatasetOptions
from .paths import find_file, require_folder
from .pipelines.builder import build_pipeline
from .pipelines.compose import Compose
from .pipelines.crop import RandomCrop
from .pipelines.evaluation import Evaluation
from .pipelines.metrics import format_metrics
from .rawcache import RawCache
from .reading import read_pair
from .results import write_predictions

__all__ = ["IGNORE_INDEX", "BaseDataset", "read_ids"]

Sample = dict[str, Any]


class BaseDataset(torch.utils.data.Dataset[Sample]):
    """Images with label maps, as samples for training and testing.

    A subclass sets the class attributes and, in its `__init__`, `image_dir`, `ann_dir` and `imageids` (and `image_ext`,
    `ann_ext` where they are others). The image of an id is `image_dir/<id><image_ext>`, its label map
    `ann_dir/<id><ann_ext>`; other spellings of the extensions are found as well.

    A sample is a dict:
        image: (H, W, 3) uint8, BGR, before the transforms; with the option `in_channels` as `read_raster` returns it.
        seg_target: (H, W) int16, labels 0 .. K-1 or `ignore_index`. In mode TEST the transforms do not see it: it is a
            tensor of the original size. All 0 where there is no label map to read.
        width, height: of the original image. id: of the image.
        edge_target, img2aug_pos_mapper: where a transform or an option adds them.

    Args:
        mode: "TRAIN" or "TEST".
        logger_handle: takes messages, or None.
        dataset_cfg: `SEGMENTOR_CFG['dataset']` with its train or test part merged in, as `BuildDataset` does; for what
            it may hold besides `type`, `rootdir` and `set` see `DatasetOptions`.

    Attributes:
        num_classes, classnames, palette: of the classes; colours are (r, g, b).
        clsid2label: number in a label file -> label, for numbers that are not the label itself; -100 means ignored.
        color2clsid: colour in a label file -> number, for label files that hold colours.
        epoch: of the samples to come, counted from 1 (0 in evaluation); it chooses the pipeline.

    Raises:
        ConfigError: an option is out of range.
        DataError: the root folder is missing.
    """

    num_classes: int = -1
    classnames: Sequence[str] = ()
    palette: Sequence[Sequence[int]] = ()
    clsid2label: Mapping[int, int] = {}
    color2clsid: Mapping[tuple[int, int, int], int] = {}

    image_ext: str = ".jpg"
    ann_ext: str = ".png"
    image_dir: str | os.PathLike[str] = ""
    ann_dir: str | os.PathLike[str] = ""
    imageids: Sequence[str] = ()

    label_store: LabelStore | None = None  # label maps in memory, which a training run may give
    codes_labels: bool = False  # let `seg_target` be `LabelCodes`, for transforms that take them

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        if mode not in ("TRAIN", "TEST"):
            raise ConfigError(f"data set: mode={mode!r} must be 'TRAIN' or 'TEST'.{nearest(mode, ['TRAIN', 'TEST'])}")
        self.mode, self.logger_handle, self.dataset_cfg = mode, logger_handle, dataset_cfg
        self.options = options = DatasetOptions.of(dataset_cfg)
        self.ignore_index, self.repeat_times = options.ignore_index, options.repeat_times
        self.epoch = 1
        if "rootdir" in dataset_cfg:
            require_folder(dataset_cfg["rootdir"], "SEGMENTOR_CFG['dataset']['rootdir']:")
        self.transforms = self.constructtransforms(options.data_pipelines, options.record_img2aug_pos_mapper)
        self.scheduled_transforms = sorted(
            (
                (first_epoch, self._compose(pipelines, f"['pipeline_schedule'][{number}][1]"))
                for number, (first_epoch, pipelines) in enumerate(options.pipeline_schedule)
            ),
            key=lambda entry: entry[0],
        )

    def __len__(self) -> int:
        return len(self.imageids) * self.repeat_times

    def __getitem__(self, index: int) -> Sample:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} of a data set of {len(self)} samples")
        imageid = self.imageids[index % len(self.imageids)]
        sample_meta = self.read(self.image_path(imageid), self.ann_path(imageid))
        sample_meta["id"] = imageid
        return self.synctransforms(sample_meta)

    @cached_property
    def label_map(self) -> LabelMap:
        """What the numbers in the label files mean; made on first use, when a subclass has set its attributes.

        Raises:
            ConfigError: class names, colours and `num_classes` do not agree.
        """
        palette = self.palette if len(self.palette) else self.randompalette(self.num_classes)
        if not self.num_classes == len(self.classnames) == len(palette):
            raise ConfigError(
                f"{type(self).__name__}: num_classes is {self.num_classes}, but there are {len(self.classnames)} "
                f"classnames and {len(palette)} colours in palette"
            )
        return LabelMap.of_classes(self.classnames, palette, self.clsid2label, self.ignore_index, self.color2clsid)

    @cached_property
    def raw_cache(self) -> RawCache | None:
        """What the option `raw_cache` names, in mode TRAIN."""
        return RawCache(self.options.raw_cache) if self.options.raw_cache and self.mode == "TRAIN" else None

    @property
    def reads_labels(self) -> bool:
        """Whether samples come with the contents of label files: not for an evaluation server."""
        return self.mode == "TRAIN" or self.options.eval_env == "local"

    def all_imageids(self) -> Sequence[str]:
        """The ids of all images that samples may show; a subclass may draw samples among more than `imageids`."""
        return self.imageids

    def image_name(self, imageid: str) -> str:
        """The image's path below `image_dir`, without `image_ext`; a subclass may have another rule."""
        return imageid

    def ann_name(self, imageid: str) -> str:
        """The label map's path below `ann_dir`, without `ann_ext`; a subclass may have another rule."""
        return imageid

    def result_name(self, imageid: str) -> str:
        """The path of a prediction for an evaluation server, without `.png`; a subclass may have another rule."""
        return imageid

    def image_path(self, imageid: str) -> str:
        return find_file(os.path.join(self.image_dir, self.image_name(imageid)), self.image_ext)

    def ann_path(self, imageid: str) -> str:
        return find_file(os.path.join(self.ann_dir, self.ann_name(imageid)), self.ann_ext)

    def read(self, imagepath: str, annpath: str | None = None) -> Sample:
        """Read an image and its label map, untransformed.

        Returns:
            image (H, W, 3) uint8 BGR (or as `in_channels` asks), seg_target (H, W) int16, width, height.

        Raises:
            ImageError, LabelError: a file cannot be used, or the two differ in size; the message names the file.
        """
        image, labels = read_pair(self, imagepath, annpath)
        height, width = image.shape[:2]
        seg_target = labels if self.codes_labels else whole(labels)
        return {"image": image, "seg_target": seg_target, "width": width, "height": height}

    def read_labels(self, annpath: str) -> np.ndarray:
        """Read a label file as labels (H, W) int16; LabelError where it holds what is no class."""
        correct = self.options.auto_correct_invalid_seg_target
        return self.label_map.apply(self.read_annotation(annpath), where=shown(annpath), ignore_unknown=correct)

    def read_annotation(self, annpath: str) -> np.ndarray:
        """Read the numbers (H, W) or colours (H, W, 3) of a label file; a subclass may have other files."""
        return read_label(annpath)

    def constructtransforms(self, data_pipelines: Sequence[Any], record_img2aug_pos_mapper: bool = False) -> Compose:
        """Build the transforms of a pipeline."""
        return self._compose(data_pipelines, "['data_pipelines']", record_img2aug_pos_mapper)

    def synctransforms(self, sample_meta: Sample) -> Sample:
        """Apply the transforms of this epoch; in mode TEST the label map goes around them."""
        transforms = self.transforms
        for first_epoch, later in self.scheduled_transforms:
            if self.epoch >= first_epoch:
                transforms = later
        if self.mode == "TRAIN":
            return transforms(sample_meta)
        seg_target = sample_meta.pop("seg_target")
        sample_meta = transforms(sample_meta)
        sample_meta["seg_target"] = torch.from_numpy(seg_target)
        return sample_meta

    def check_files(self) -> None:
        """Check that every id has its files, from the listings of the folders; nothing is opened.

        Raises:
            DataError: there are no ids, or files are missing: how many, and the first five.
        """
        check_files(self)

    def evaluate(
        self,
        seg_preds: Iterable[Any],
        seg_gts: Iterable[Any],
        metric_list: Sequence[str] = ("iou", "miou"),
        num_classes: int | None = None,
        ignore_index: int = -1,
        nan_to_num: float | None = None,
        beta: float = 1.0,
    ) -> dict[str, Any]:
        """Compare predictions with label maps, in pairs of arrays (H, W).

        Args:
            metric_list: see `pipelines.metrics.metrics_of`.
            num_classes: None: those of the data set.
            ignore_index: label of pixels that do not count; labels outside the classes do not count either.
            nan_to_num: replaces the metrics of classes for which they are not defined.
            beta: weight of recall against precision in the F-score.

        Returns:
            metric -> value; iou and dice as class name -> value.
        """
        classes = self.num_classes if num_classes is None else num_classes
        evaluation = Evaluation(seg_preds, seg_gts, classes, ignore_index, nan_to_num, beta)
        return format_metrics(evaluation.all_metric_results, metric_list, self.classnames)

    def formatresults(
        self, results: Iterable[Any], filenames: Iterable[str], to_label_id: bool = True, savedir: str = "results"
    ) -> list[str]:
        """Write predictions as the PNG files that an evaluation server takes.

        Args:
            results: label maps (H, W).
            filenames: their ids; `<savedir>/<id>.png` is written, or as `result_name` says.
            to_label_id: write the numbers of the data set's own files instead of labels 0 .. K-1.
            savedir: made where it is missing.

        Returns:
            The paths written.
        """
        names = map(self.result_name, filenames)
        return write_predictions(self.label_map, results, names, Path(savedir), to_label_id=to_label_id)

    @staticmethod
    def randompalette(num_classes: int) -> list[list[int]]:
        """Return colours [r, g, b] that tell classes apart, the same ones each time.

        Bits 0, 1, 2 of a label are the top bits of r, g, b, its bits 3, 4, 5 the next ones, and so on.
        Source: the colour map of the PASCAL VOC 2012 development kit.
        """
        return [
            [sum((label >> (3 * bit + channel) & 1) << (7 - bit) for bit in range(8)) for channel in range(3)]
            for label in range(num_classes)
        ]

    def _compose(self, data_pipelines: Sequence[Any], place: str, record: bool | None = None) -> Compose:
        where = f"SEGMENTOR_CFG['dataset']['{self.mode.lower()}']{place}"
        record = self.options.record_img2aug_pos_mapper if record is None else record
        transforms = build_pipeline(data_pipelines, where=where)
        for transform in transforms:
            if self.mode == "TRAIN" and isinstance(transform, RandomCrop):
                transform.focus = self.options.crop_focus
        return Compose(transforms, record)
