"""The fields of a segmentor's config."""

from typing import Any, ClassVar

from ..config import Config


class SegmentorConfig(Config):
    """Everything that a training, a test or an inference needs to know.

    Fields that are not given are None; more fields than these may be given and are kept.

    Args:
        type: the segmentor class, by its registered name.
        num_classes: number of classes, the background included.
        benchmark: let cuDNN time its algorithms and take the fastest.
        align_corners: passed to every bilinear resize.
        work_dir: folder of the checkpoints, the log and the resolved config.
        eval_interval_epochs: evaluate on the test set every so many epochs.
        save_interval_epochs: save a checkpoint every so many epochs.
        logger_handle_cfg: `type` and `logfilepath`.
        training_logging_manager_cfg: `log_interval_iters`, how many steps a line of the log covers.
        norm_cfg: `type` of the normalization layers and their arguments.
        act_cfg: `type` of the activation layers and their arguments.
        backbone: `type` of the backbone, its arguments, and `selected_indices`, the feature maps that the head sees.
        head: arguments of the segmentor's head.
        auxiliary: arguments of the auxiliary head, a list of them for several, None for none.
        losses: for each named prediction a loss, or a list of losses whose values are added.
        inference: `forward` (whole or sliding), `tta` (scales, flip), `evaluate` (metrics).
        scheduler: `type`, `max_epochs`, its arguments, and the `optimizer`.
        dataset: a `DatasetConfig`.
        dataloader: a `DataloaderConfig`.
    """

    __slots__ = ()

    OPTIONAL: ClassVar[tuple[str, ...]] = (
        "fp16_cfg",
        "ema_cfg",
        "segmentor",
        "is_freeze_norm",
        "init_process_group_cfg",
        "build_dist_model_cfg",
        "runtime",
    )
    """Further fields that are read where they are given, and off where they are not."""

    def __init__(
        self,
        *,
        type: str | None = None,
        num_classes: int | None = None,
        benchmark: bool | None = None,
        align_corners: bool | None = None,
        work_dir: str | None = None,
        eval_interval_epochs: int | None = None,
        save_interval_epochs: int | None = None,
        logger_handle_cfg: dict[str, Any] | None = None,
        training_logging_manager_cfg: dict[str, Any] | None = None,
        norm_cfg: dict[str, Any] | None = None,
        act_cfg: dict[str, Any] | None = None,
        backbone: dict[str, Any] | None = None,
        head: dict[str, Any] | None = None,
        auxiliary: dict[str, Any] | list[dict[str, Any]] | None = None,
        losses: dict[str, Any] | None = None,
        inference: dict[str, Any] | None = None,
        scheduler: dict[str, Any] | None = None,
        dataset: dict[str, Any] | None = None,
        dataloader: dict[str, Any] | None = None,
        **extra: Any,
    ):
        fields = {
            "type": type,
            "num_classes": num_classes,
            "benchmark": benchmark,
            "align_corners": align_corners,
            "work_dir": work_dir,
            "eval_interval_epochs": eval_interval_epochs,
            "save_interval_epochs": save_interval_epochs,
            "logger_handle_cfg": logger_handle_cfg,
            "training_logging_manager_cfg": training_logging_manager_cfg,
            "norm_cfg": norm_cfg,
            "act_cfg": act_cfg,
            "backbone": backbone,
            "head": head,
            "auxiliary": auxiliary,
            "losses": losses,
            "inference": inference,
            "scheduler": scheduler,
            "dataset": dataset,
            "dataloader": dataloader,
        }
        super().__init__(fields | extra)
