"""What every part may use: errors, builders, configuration, checkpoints, files, logging."""

from .lazy import lazy_exports

_MODULES = {
    ".checkpoint": "loadckpts saveckpts",
    ".configparser": "ConfigParser load_config",
    ".datastructure": "SSSegInputStructure SSSegOutputStructure",
    ".distributed": "ddpallreducemean initslurm ismainprocess",
    ".environment": "EnvironmentCollector getgpupeakallocgb getgpupeakallocgbddp",
    ".errors": (
        "SSSegError ConfigError UnknownNameError ShapeError DataError ImageError LabelError CheckpointError "
        "DownloadError ArchiveError ResourceError DistributedError DivergedError StopRequested call_with listed nearest"
    ),
    ".files": "judgefileexist symlink touchdir touchdirs",
    ".labelmap": "LabelMap",
    ".logger": "BuildLoggerHandle LoggerHandleBuilder TrainTimer TrainingLoggingManager",
    ".modulebuilder": "BaseModuleBuilder Registry",
    ".pretrained": "loadpretrainedweights",
    ".results": "postprocesspredgtpairs",
    ".seeds": "setrandomseed",
}

_EXPORTS = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = sorted(_EXPORTS)  # noqa: PLE0605
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
