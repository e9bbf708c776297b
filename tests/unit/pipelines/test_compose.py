import numpy as np

from ssseg.modules.datasets.pipelines import transforms
from ssseg.modules.datasets.pipelines.builder import DataTransformBuilder
from ssseg.modules.datasets.pipelines.compose import Compose


def test_transforms_are_applied_in_order():
    append = [lambda meta, letter=letter: {**meta, "id": meta["id"] + letter} for letter in "bc"]
    assert Compose(append)({"id": "a"}) == {"id": "abc"}


def test_position_map_is_added_once():
    meta = Compose([], record_img2aug_pos_mapper=True)({"height": 2, "width": 3})
    assert meta["img2aug_pos_mapper"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert meta["img2aug_pos_mapper"].dtype == np.int64
    given = np.zeros((2, 3), np.int64)
    meta = Compose([], record_img2aug_pos_mapper=True)({"height": 2, "width": 3, "img2aug_pos_mapper": given})
    assert meta["img2aug_pos_mapper"] is given
    assert "img2aug_pos_mapper" not in Compose([])({"height": 2, "width": 3})


def test_documented_module_holds_all_transforms():
    for name, transform in DataTransformBuilder().items():
        assert getattr(transforms, name) is transform
    assert set(transforms.__all__) == {*DataTransformBuilder().keys(), "Compose"}
    assert len(transforms.__all__) == 21
