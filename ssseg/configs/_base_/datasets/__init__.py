"""The base configs of the data sets, one a file."""

from ..config import registered
from .default_dataset import DatasetConfig

__all__ = ["NUM_CLASSES", "REGISTERED_DATASET_CONFIGS", "DatasetConfig"]

REGISTERED_DATASET_CONFIGS = registered(__name__, __path__, DatasetConfig)

NUM_CLASSES = {
    "VOCDataset": 21,
    "PascalContext59Dataset": 59,
    "PascalContextDataset": 60,
    "COCOVOCSUBDataset": 21,
    "COCOStuff10kDataset": 182,
    "COCOStuffDataset": 182,
    "CIHPDataset": 20,
    "LIPDataset": 20,
    "ATRDataset": 18,
    "MHPv1Dataset": 19,
    "MHPv2Dataset": 59,
    "SuperviselyDataset": 2,
    "HRFDataset": 2,
    "ChaseDB1Dataset": 2,
    "STAREDataset": 2,
    "DRIVEDataset": 2,
    "SBUShadowDataset": 2,
    "VSPWDataset": 124,
    "ADE20kDataset": 150,
    "DarkZurichDataset": 19,
    "NighttimeDrivingDataset": 19,
    "CityScapesDataset": 19,
}
