import numpy as np
import pytest


@pytest.fixture
def sample():
    """Makes a sample whose arrays have random contents, as a data set hands them to the first transform."""

    def make(height=12, width=16, channels=3, keys=("image", "seg_target", "edge_target", "img2aug_pos_mapper")):
        arrays = {
            "image": np.random.randint(0, 256, (height, width, channels)).astype(np.uint8),
            "seg_target": np.random.randint(0, 5, (height, width)).astype(np.int16),
            "edge_target": np.random.randint(0, 2, (height, width)).astype(np.int16),
            "img2aug_pos_mapper": np.arange(height * width).reshape(height, width),
        }
        return {**{key: arrays[key] for key in keys}, "height": height, "width": width, "id": "a"}

    return make
