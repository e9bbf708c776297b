"""The parts of ssseg. Every public name can be imported from here; each is loaded when it is first used."""

from .utils.lazy import lazy_exports

_BUILDERS = {
    ".datasets.builder": "Dataset",
    ".datasets.pipelines.builder": "DataTransform",
    ".models.backbones.builder": "Backbone",
    ".models.backbones.bricks.activation.builder": "Activation",
    ".models.backbones.bricks.dropout.builder": "Dropout",
    ".models.backbones.bricks.normalization.builder": "Normalization",
    ".models.segmentors.builder": "Segmentor",
    ".models.losses.builder": "Loss",
    ".models.schedulers.builder": "Scheduler",
    ".models.optimizers.builder": "Optimizer",
    ".models.optimizers.paramsconstructor": "ParamsConstructor",
    ".models.samplers.builder": "PixelSampler",
    ".utils.logger": "LoggerHandle",
}

_OTHERS = {
    ".datasets.base": "BaseDataset",
    ".models.ema": "EMASegmentor",
    ".models.segmentors.base": "BaseSegmentor",
    ".models.schedulers.basescheduler": "BaseScheduler",
    ".parallel": "BuildDistributedDataloader BuildDistributedModel",
    ".utils": (
        "BaseModuleBuilder ConfigParser EnvironmentCollector SSSegInputStructure SSSegOutputStructure TrainTimer "
        "TrainingLoggingManager ddpallreducemean getgpupeakallocgb getgpupeakallocgbddp initslurm ismainprocess "
        "judgefileexist loadckpts loadpretrainedweights postprocesspredgtpairs saveckpts setrandomseed symlink "
        "touchdir touchdirs"
    ),
}

_EXPORTS = {name: module for module, names in _OTHERS.items() for name in names.split()}
for _module, _kind in _BUILDERS.items():
    _EXPORTS[f"{_kind}Builder"] = _EXPORTS[f"Build{_kind}"] = _module

__all__ = sorted(_EXPORTS)  # noqa: PLE0605
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
