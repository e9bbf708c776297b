"""The fields of a data set's config."""

from typing import Any

from ..config import Config


class DatasetConfig(Config):
    """Where a data set lies and what happens to its samples; more fields may be given and are kept.

    Args:
        type: the data set class, by its registered name.
        rootdir: the folder that holds the data set.
        train, test: `set`, which list of images; `data_pipelines`, the transforms in order, each as
            `("Name", {arguments})` or `{"type": "Name", **arguments}`; for train also `repeat_times`.
            They stand over the fields beside them.
    """

    __slots__ = ()
    NEEDED = ("type", "rootdir")

    def __init__(
        self,
        type: str,
        rootdir: str,
        train: dict[str, Any] | None = None,
        test: dict[str, Any] | None = None,
        **extra: Any,
    ):
        fields = {
            "type": type,
            "rootdir": rootdir,
            "train": {} if train is None else train,
            "test": {} if test is None else test,
        }
        super().__init__(fields | extra)
