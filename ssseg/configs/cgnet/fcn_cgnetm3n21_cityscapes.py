"""FCN, CGNet (M3N21), Cityscapes, 512x1024, 340 epochs. Published mIoU: 68.53 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "CGNET", dataset="CITYSCAPES_512x1024", dataloader="BS16", max_epochs=340)
SEGMENTOR_CFG["losses"]["loss_cls"]["class_weight"] = [
    2.5959933,
    6.7415504,
    3.5354059,
    9.8663225,
    9.690899,
    9.369352,
    10.289121,
    9.953208,
    4.3097677,
    9.490387,
    7.674431,
    9.396905,
    10.347791,
    6.3927646,
    10.226669,
    10.241062,
    10.280587,
    10.396974,
    10.055647,
]
SEGMENTOR_CFG["dataset"]["test"]["data_pipelines"][1] = (
    "Normalize",
    {"mean": [72.39239876, 82.90891754, 73.15835921], "std": [1, 1, 1]},
)
SEGMENTOR_CFG["dataset"]["train"]["data_pipelines"][4] = (
    "Normalize",
    {"mean": [72.39239876, 82.90891754, 73.15835921], "std": [1, 1, 1]},
)
