import ast
from pathlib import PurePosixPath

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssseg.configs._base_ import REGISTERED_DATASET_CONFIGS, DataloaderConfig, DatasetConfig, SegmentorConfig
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.configsource import on_one_line, plain, resolved_source
from ssseg.modules.utils.errors import ConfigError


def run(source):
    namespace = {}
    exec(compile(source, "resolved", "exec"), namespace)
    return namespace["SEGMENTOR_CFG"]


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=5) | st.integers() | st.none(), inner, max_size=4)
    ),
    max_leaves=12,
)
names = st.text(max_size=8) | st.sampled_from(["class", "self", "a b", "", "lambda", "type"])


@given(st.dictionaries(names, values, max_size=4), values)
def test_the_source_defines_an_equal_config(fields, value):
    cfg = SegmentorConfig(head={"value": value})
    cfg.update(fields)
    result = run(resolved_source(cfg))
    if all(name.isidentifier() and name not in ("class", "lambda", "self") for name in cfg):
        assert result == cfg
    assert dict(result) == dict(cfg)


def test_it_is_written_as_the_tutorial_writes_it():
    cfg = SegmentorConfig(
        type="FCN",
        norm_cfg={"type": "SyncBatchNorm"},
        dataset=DatasetConfig("VOCDataset", "VOC", train={"data_pipelines": [("RandomFlip", {"prob": 0.5})] * 3}),
        dataloader=DataloaderConfig(16, True),
    )
    source = resolved_source(cfg)
    assert source.startswith(
        '"""A resolved config: every value is written out."""\n\n'
        "from ssseg.configs._base_ import DataloaderConfig, DatasetConfig, SegmentorConfig\n\n\n"
        "SEGMENTOR_CFG = SegmentorConfig(\n    type='FCN',\n    num_classes=None,\n"
    )
    assert "    norm_cfg={'type': 'SyncBatchNorm'},\n" in source
    assert "    dataset=DatasetConfig(\n        type='VOCDataset',\n" in source
    assert max(map(len, source.splitlines())) <= 120
    ast.parse(source)


def test_a_config_that_lost_a_needed_entry_is_written_as_a_dictionary():
    dataset = REGISTERED_DATASET_CONFIGS["DATASET_CFG_VOCAUG_512x512"]
    del dataset["rootdir"]
    cfg = run(resolved_source(SegmentorConfig(dataset=dataset)))
    assert cfg.dataset == dict(dataset)


def test_plain_values_of_other_libraries():
    given = SegmentorConfig(
        fp16_cfg={"autocast": {"dtype": torch.bfloat16}, "device": torch.device("cuda", 1)},
        root=PurePosixPath("data/VOC"),
        mean=np.array([1.5, 2.0]),
        lr=np.float64(0.25),
        size=torch.Size([2, 3]),
    )
    cfg = plain(given)
    assert type(cfg) is SegmentorConfig
    assert cfg.fp16_cfg == {"autocast": {"dtype": "bfloat16"}, "device": "cuda:1"}
    assert (cfg.root, cfg.mean, cfg.lr, cfg.size) == ("data/VOC", [1.5, 2.0], 0.25, (2, 3))
    assert type(cfg.lr) is float
    assert type(cfg.size) is tuple
    assert given.fp16_cfg["autocast"]["dtype"] is torch.bfloat16


@pytest.mark.parametrize("value", [print, {1, 2}, torch.zeros(1), b"x", object()])
def test_what_has_no_literal_is_refused_with_its_place(value):
    with pytest.raises(ConfigError, match=r"SEGMENTOR_CFG\['head'\]\['x'\]\[1\].*" + type(value).__name__):
        resolved_source(SegmentorConfig(head={"x": [0, value]}))


def test_a_key_that_has_no_literal_is_refused_with_its_place():
    with pytest.raises(ConfigError, match=r"SEGMENTOR_CFG\['head'\]: the key \(1, 2\)"):
        plain(SegmentorConfig(head={(1, 2): 3}))


@pytest.mark.parametrize(
    ("value", "text"),
    [((1,), "(1,)"), ((), "()"), ({}, "{}"), (float("inf"), "float('inf')"), ([-float("inf")], "[float('-inf')]")],
)
def test_on_one_line(value, text):
    assert on_one_line(value) == text


def test_not_a_number_survives():
    cfg = run(resolved_source(SegmentorConfig(x=float("nan"))))
    assert np.isnan(cfg.x)


def test_resolving_twice_gives_the_same_source():
    source = resolved_source(load_config("fcn_resnet50os16_voc"))
    assert resolved_source(run(source)) == source
