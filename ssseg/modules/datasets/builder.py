import copy
from collections.abc import Mapping
from typing import Any

from ..utils.errors import ConfigError, UnknownNameError, listed, nearest
from ..utils.modulebuilder import BaseModuleBuilder, Registry

_MODULES = {
    "ade20k": "ADE20kDataset",
    "base": "BaseDataset",
    "cityscapes": "CityScapesDataset",
    "coco": "COCOStuff10kDataset COCOStuffDataset COCOVOCSUBDataset",
    "cocofile": "COCOFileDataset",
    "folder": "FolderDataset",
    "humanparsing": "ATRDataset CIHPDataset LIPDataset",
    "listed": "ListedDataset",
    "multihumanparsing": "MHPv1Dataset MHPv2Dataset",
    "multiple": "MultipleDataset",
    "nightdriving": "DarkZurichDataset NighttimeDrivingDataset",
    "pascalcontext": "PascalContext59Dataset PascalContextDataset",
    "sbushadow": "SBUShadowDataset",
    "supervisely": "SuperviselyDataset",
    "vessels": "ChaseDB1Dataset DRIVEDataset HRFDataset STAREDataset",
    "voc": "VOCDataset",
    "vspw": "VSPWDataset",
}
_PARTS = {"TRAIN": "train", "TEST": "test"}


class DatasetBuilder(BaseModuleBuilder):
    """Builds a data set from `SEGMENTOR_CFG['dataset']`: `type` names it, the train or test part adds to the rest."""

    REGISTERED_MODULES = Registry(
        {name: f"{__package__}.{module}:{name}" for module, names in _MODULES.items() for name in names.split()}
    )
    kind = "data set"
    where = "SEGMENTOR_CFG['dataset']"

    def build(  # type: ignore[override]
        self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]
    ) -> Any:
        """Build the data set for `mode` "TRAIN" or "TEST"; `dataset_cfg` stays as it was.

        Entries of `dataset_cfg["train"]`, or `["test"]`, take precedence over those beside it.

        Raises:
            UnknownNameError: `type` is missing, or no data set has that name.
            ConfigError: `rootdir` is missing, or an option is out of range.
            DataError: its files are not where they should be.
        """
        if mode not in _PARTS:
            raise ConfigError(f"data set: mode={mode!r} must be one of {listed(_PARTS)}.{nearest(mode, _PARTS)}")
        cfg = copy.deepcopy(dict(dataset_cfg))
        parts = {part: cfg.pop(part, None) or {} for part in _PARTS.values()}
        cfg.update(parts[_PARTS[mode]])
        if "type" not in cfg:
            raise UnknownNameError(f"{self.where}: 'type' is missing. It names the data set: {listed(self.keys())}.")
        return self.find(cfg["type"])(mode=mode, logger_handle=logger_handle, dataset_cfg=_DatasetCfg(cfg))


class _DatasetCfg(dict[str, Any]):
    """The merged cfg: reading an entry that a data set needs and the user left out says so."""

    def __missing__(self, key: str) -> Any:
        part = f"{DatasetBuilder.where}[{key!r}]"
        raise _MissingEntryError(f"{part}: is missing, but {self['type']} needs it.{nearest(key, self)}")


class _MissingEntryError(ConfigError, KeyError):
    __str__ = Exception.__str__  # KeyError would print the message in quotes


def BuildDataset(mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]) -> Any:  # noqa: N802
    """Build the data set that `dataset_cfg["type"]` names, for `mode` "TRAIN" or "TEST"."""
    return DatasetBuilder().build(mode, logger_handle, dataset_cfg)
