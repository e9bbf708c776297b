import os
import random
from collections.abc import Mapping
from typing import Any

from ..utils.labelmap import IGNORE_INDEX
from .base import BaseDataset, Sample, read_ids
from .paths import require_folder
from .tables import class_names

NAMES = """
wall; ceiling; door; stair; ladder; escalator; Playground_slide; handrail_or_fence; window; rail; goal; pillar; pole;
floor; ground; grass; sand; athletic_field; road; path; crosswalk; building; house; bridge; tower; windmill;
well_or_well_lid; other_construction; sky; mountain; stone; wood; ice; snowfield; grandstand; sea; river; lake;
waterfall; water; billboard_or_Bulletin_Board; sculpture; pipeline; flag; parasol_or_umbrella; cushion_or_carpet;
tent; roadblock; car; bus; truck; bicycle; motorcycle; wheeled_machine; ship_or_boat; raft; airplane; tyre;
traffic_light; lamp; person; cat; dog; horse; cattle; other_animal; tree; flower; other_plant; toy; ball_net;
backboard; skateboard; bat; ball; cupboard_or_showcase_or_storage_rack; box; traveling_case_or_trolley_case; basket;
bag_or_package; trash_can; cage; plate; tub_or_bowl_or_pot; bottle_or_cup; barrel; fishbowl; bed; pillow;
table_or_desk; chair_or_seat; bench; sofa; shelf; bathtub; gun; commode; roaster; other_machine; refrigerator;
washing_machine; Microwave_oven; fan; curtain; textiles; clothes; painting_or_poster; mirror; flower_pot_or_vase;
clock; book; tool; blackboard; tissue; screen_or_television; computer; printer; Mobile_phone; keyboard;
other_electronic_product; fruit; food; instrument; train
"""


class VSPWDataset(BaseDataset):
    """VSPW, frames of videos: `data/<video>/origin/<frame>.jpg`, `data/<video>/mask/<frame>.png`.

    The videos are listed in `<set>.txt`. In mode TRAIN a sample is a video, of which each reading draws a frame; the id
    is the video's name. In mode TEST it is a frame, in the order of names, with the id `<video>/origin/<frame>.jpg`;
    its result is `<video>/<frame>.png`. The numbers 0, 253, 254 and 255 are ignored, 1..124 are the classes.

    Source: Miao et al., "VSPW: A Large-scale Dataset for Video Scene Parsing in the Wild", CVPR 2021.
    """

    num_classes = 124
    classnames = class_names(NAMES)
    palette = BaseDataset.randompalette(num_classes)
    clsid2label = {
        **dict.fromkeys((0, 253, 254, 255), IGNORE_INDEX),
        **{number: number - 1 for number in range(1, num_classes + 1)},
    }

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        rootdir = dataset_cfg["rootdir"]
        self.image_dir = self.ann_dir = os.path.join(rootdir, "data")
        videos = read_ids(os.path.join(rootdir, f"{dataset_cfg['set']}.txt"))
        self._frames = {video: self._frames_of(video) for video in videos}
        self.imageids = videos if mode == "TRAIN" else [frame for video in videos for frame in self._frames[video]]

    def __getitem__(self, index: int) -> Sample:
        if self.mode == "TEST" or not -len(self) <= index < len(self):
            return super().__getitem__(index)
        video = self.imageids[index % len(self.imageids)]
        frame = random.choice(self._frames[video])  # noqa: S311
        sample_meta = self.read(self.image_path(frame), self.ann_path(frame))
        sample_meta["id"] = video
        return self.synctransforms(sample_meta)

    def all_imageids(self) -> list[str]:
        """Every frame of every video, in both modes."""
        return [frame for frames in self._frames.values() for frame in frames]

    def image_name(self, imageid: str) -> str:
        """The frame's path; of a video, that of its first frame."""
        return os.path.splitext(self._frames[imageid][0] if imageid in self._frames else imageid)[0]

    def ann_name(self, imageid: str) -> str:
        return self.image_name(imageid).replace("/origin/", "/mask/")

    def result_name(self, imageid: str) -> str:
        return self.image_name(imageid).replace("/origin/", "/")

    def _frames_of(self, video: str) -> list[str]:
        folder = os.path.join(self.image_dir, video, "origin")
        require_folder(folder, f"VSPWDataset: the frames of the video {video!r},")
        return [f"{video}/origin/{name}" for name in sorted(os.listdir(folder)) if name.endswith(self.image_ext)]
