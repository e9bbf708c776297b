"""The fields of a data loader's config."""

from typing import Any

from ..config import Config


class DataloaderConfig(Config):
    """How samples are gathered into batches; more fields may be given and are kept.

    Args:
        expected_total_train_bs_for_assert: images in one training step, over all processes.
        auto_adapt_to_expected_train_bs: give each process its share of that number; False takes
            `train["batch_size_per_gpu"]` and accumulates gradients up to it.
        train, test: `batch_size_per_gpu`, `num_workers_per_gpu`, `shuffle`, `pin_memory`, `drop_last`.
    """

    __slots__ = ()
    NEEDED = ("expected_total_train_bs_for_assert", "auto_adapt_to_expected_train_bs")

    def __init__(
        self,
        expected_total_train_bs_for_assert: int,
        auto_adapt_to_expected_train_bs: bool,
        train: dict[str, Any] | None = None,
        test: dict[str, Any] | None = None,
        **extra: Any,
    ):
        fields = {
            "expected_total_train_bs_for_assert": expected_total_train_bs_for_assert,
            "auto_adapt_to_expected_train_bs": auto_adapt_to_expected_train_bs,
            "train": {} if train is None else train,
            "test": {} if test is None else test,
        }
        super().__init__(fields | extra)
