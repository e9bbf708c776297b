import subprocess
import sys

import pytest

from ssseg.configs._base_ import (
    REGISTERED_DATALOADER_CONFIGS,
    REGISTERED_DATASET_CONFIGS,
    REGISTERED_SEGMENTOR_CONFIGS,
    SegmentorConfig,
)


def test_forgetting_to_copy_is_harmless():
    REGISTERED_SEGMENTOR_CONFIGS["FCN_SEGMENTOR_CFG"]["head"]["dropout"] = 0.9
    assert REGISTERED_SEGMENTOR_CONFIGS["FCN_SEGMENTOR_CFG"]["head"]["dropout"] == 0.1


def test_importing_a_base_config_from_its_module_gives_a_copy_too():
    from ssseg.configs._base_.segmentors.fcn import FCN_SEGMENTOR_CFG as first

    first["head"]["dropout"] = 0.9
    from ssseg.configs._base_.segmentors.fcn import FCN_SEGMENTOR_CFG as second

    assert second["head"]["dropout"] == 0.1
    assert REGISTERED_SEGMENTOR_CONFIGS["FCN_SEGMENTOR_CFG"] == second


def test_every_way_of_reading_gives_copies():
    registry = REGISTERED_DATALOADER_CONFIGS
    for read in (
        lambda: registry["DATALOADER_CFG_BS8"],
        lambda: registry.get("DATALOADER_CFG_BS8"),
        lambda: dict(registry.items())["DATALOADER_CFG_BS8"],
        lambda: registry.values()[list(registry).index("DATALOADER_CFG_BS8")],
        lambda: registry.copy()["DATALOADER_CFG_BS8"],
        lambda: dict(registry)["DATALOADER_CFG_BS8"],
    ):
        read()["train"]["shuffle"] = None
        assert read()["train"]["shuffle"] is True


def test_a_config_knows_the_base_config_that_it_was_copied_from():
    cfg = REGISTERED_DATASET_CONFIGS["DATASET_CFG_VOCAUG_512x512"].copy()
    assert cfg.base_name == "DATASET_CFG_VOCAUG_512x512"
    assert "base_name" not in cfg


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(KeyError, match=r"'FCN_SEGMENTER_CFG'.*Did you mean 'FCN_SEGMENTOR_CFG'"):
        REGISTERED_SEGMENTOR_CONFIGS["FCN_SEGMENTER_CFG"]
    with pytest.raises(KeyError, match="Did you mean 'DATASET_CFG_ADE20k_512x512'"):
        REGISTERED_DATASET_CONFIGS["DATASET_CFG_ADE20K_512x512"]
    assert REGISTERED_SEGMENTOR_CONFIGS.get("nothing") is None


def test_unknown_name_in_a_base_module_suggests_the_nearest():
    with pytest.raises(ImportError, match="FCN_SEGMENTOR_CONFIG"):
        from ssseg.configs._base_.segmentors.fcn import FCN_SEGMENTOR_CONFIG  # noqa: F401
    from ssseg.configs._base_.segmentors import fcn

    with pytest.raises(AttributeError, match="Did you mean 'FCN_SEGMENTOR_CFG'"):
        _ = fcn.FCN_SEGMENTOR_CONFIG


def test_users_can_register_their_own():
    mine = SegmentorConfig(type="Mine")
    REGISTERED_SEGMENTOR_CONFIGS["MINE_SEGMENTOR_CFG"] = mine
    try:
        assert REGISTERED_SEGMENTOR_CONFIGS["MINE_SEGMENTOR_CFG"] == mine
    finally:
        del REGISTERED_SEGMENTOR_CONFIGS["MINE_SEGMENTOR_CFG"]


def test_base_configs_load_neither_torch_nor_the_modules():
    code = "import sys, ssseg.configs._base_; print({'torch', 'numpy', 'ssseg.modules'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
