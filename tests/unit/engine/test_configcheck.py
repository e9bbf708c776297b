import json

import pytest

from ssseg.configs._base_ import REGISTERED_SEGMENTOR_CONFIGS, SegmentorConfig
from ssseg.engine.configcheck import check_config, require_valid
from ssseg.engine.options import RuntimeOptions
from ssseg.modules import (
    ActivationBuilder,
    BackboneBuilder,
    BaseSegmentor,
    DatasetBuilder,
    DataTransformBuilder,
    LossBuilder,
    NormalizationBuilder,
    OptimizerBuilder,
    SchedulerBuilder,
    SegmentorBuilder,
)
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import ConfigError


def problems(*overrides, build=False):
    return check_config(load_config("fcn_resnet50os16_voc", overrides), build=build)


def only(*overrides, build=False):
    """Return the one problem there is."""
    found = problems(*overrides, build=build)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("name", ["fcn", "pspnet", "deeplabv3", "deeplabv3plus"])
@pytest.mark.parametrize("backbone", ["resnet50os8", "mobilenetv2os8"])
def test_published_experiments_have_no_problem(name, backbone):
    assert check_config(load_config(f"{name}_{backbone}_voc"), build=True) == []


def test_problems_are_plain_data():
    assert json.loads(json.dumps(vars(only("head.dropout=0.1", "+head.dropuot=1"))))["severity"] == "error"


# names: C01

NAMES = [
    ("type", SegmentorBuilder),
    ("backbone.type", BackboneBuilder),
    ("losses.loss_cls.type", LossBuilder),
    ("scheduler.type", SchedulerBuilder),
    ("scheduler.optimizer.type", OptimizerBuilder),
    ("dataset.type", DatasetBuilder),
    ("dataset.train.data_pipelines.0.0", DataTransformBuilder),
    ("norm_cfg.type", NormalizationBuilder),
    ("act_cfg.type", ActivationBuilder),
]
PLACES = {"dataset.train.data_pipelines.0.0": "SEGMENTOR_CFG['dataset']['train']['data_pipelines'][0]['type']"}


def spoilt(name):
    """Return `name` without its second letter, and in another case."""
    return [name[0] + name[2:], name.swapcase()]


@pytest.mark.parametrize(("path", "builder"), NAMES, ids=[path for path, _ in NAMES])
def test_a_misspelt_name_in_any_registry_suggests_the_right_one(path, builder):
    place = PLACES.get(path) or "SEGMENTOR_CFG" + "".join(f"['{key}']" for key in path.split("."))
    for name in builder.REGISTERED_MODULES:
        for wrong in spoilt(name):
            if wrong not in builder.REGISTERED_MODULES and len(name) > 5:  # shorter ones are too alike
                found = [problem for problem in problems(f"{path}={wrong!r}") if problem.place == place]
                assert len(found) == 1, (wrong, found)
                assert f"Did you mean {name!r}?" in found[0].message, (wrong, found[0].message)


def test_a_name_of_another_type():
    assert only("act_cfg.type=3").place == "SEGMENTOR_CFG['act_cfg']['type']"
    assert "'type' is missing" in only("~act_cfg.type").message


# fields: C02, C03


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("head", "dropout"),
        ("backbone", "depth"),
        ("losses.loss_cls", "scale_factor"),
        ("scheduler", "power"),
        ("scheduler.optimizer", "momentum"),
        ("dataset.train.data_pipelines.1.1", "crop_size"),
        ("act_cfg", "inplace"),
        ("inference.tta", "multiscale"),
        ("dataloader.train", "drop_last"),
        ("logger_handle_cfg", "logfilepath"),
    ],
)
def test_a_misspelt_field_names_its_place_and_the_right_one(path, field):
    wrong = field[:-2] + field[-1] + field[-2]
    found = next(problem for problem in problems(f"+{path}.{wrong}=1") if wrong in problem.place)
    assert found.severity == "error"
    assert f"Did you mean '{field}'?" in found.message


def test_a_misspelt_runtime_option():
    for name in vars(RuntimeOptions()):
        found = only(f"runtime.{name[:-1]}=1")
        assert found.place == f"SEGMENTOR_CFG['runtime']['{name[:-1]}']"
        assert f"Did you mean '{name}'?" in found.message


def test_a_runtime_option_at_the_top_belongs_in_runtime():
    found = only("+seed=1")
    assert (found.place, found.severity) == ("SEGMENTOR_CFG['seed']", "error")
    assert "SEGMENTOR_CFG['runtime']['seed']" in found.message


@pytest.mark.parametrize("field", ["in_channels", "feats_channels", "dropout"])
def test_a_missing_field_of_the_head(field):
    found = only(f"~head.{field}")
    assert found.place == "SEGMENTOR_CFG['head']"
    assert repr(field) in found.message


def test_a_key_that_nothing_reads():
    found = only("+my_own=1")
    assert (found.place, found.severity) == ("SEGMENTOR_CFG['my_own']", "warning")
    found = only("+schedule=1")
    assert (found.place, found.severity) == ("SEGMENTOR_CFG['schedule']", "error")
    assert "Did you mean 'scheduler'?" in found.message


def test_known_extra_keys_are_fine():
    assert problems("fp16_cfg.type=pytorch", "ema_cfg.momentum=0.1", "is_freeze_norm=True", "runtime.seed=1") == []
    assert problems("is_freeze_norm=averages") == []


# values: C04, C12


@pytest.mark.parametrize(
    ("override", "place"),
    [
        ("dataset.train.data_pipelines.2.1.prob=1.5", "['dataset']['train']['data_pipelines'][2]"),
        ("dataset.train.data_pipelines.1.1.crop_size=(0,0)", "['dataset']['train']['data_pipelines'][1]"),
        ("scheduler.optimizer.lr=-1", "['scheduler']['optimizer']['lr']"),
        ("scheduler.optimizer.momentum=-1", "['scheduler']['optimizer']"),
        ("scheduler.power='0.9'", "['scheduler']['power']"),
        ("scheduler.max_epochs=1.5", "['scheduler']['max_epochs']"),
        ("losses.loss_cls.reduction=average", "['losses']['loss_cls']"),
        ("runtime.seed=-1", "['runtime']['seed']"),
        ("dataset.ignore_index=x", "['dataset']['ignore_index']"),
        ("inference.forward.mode=slid", "['inference']['forward']['mode']"),
        ("scheduler.optimizer.params_rules={'backbone_net': {'lr': 1}}", "['params_rules']['backbone_net']['lr']"),
        ("act_cfg=ReLU", "['act_cfg']"),
        ("losses=3", "['losses']"),
        ("head=[1]", "['head']"),
        ("inference.tta=[1]", "['inference']['tta']"),
    ],
)
def test_a_value_of_the_wrong_kind_or_out_of_range_names_its_place(override, place):
    assert any(place in problem.place for problem in problems(override)), problems(override)


def test_sliding_needs_its_sizes():
    places = [problem.place for problem in problems("inference.forward.mode=slide")]
    assert places == [f"SEGMENTOR_CFG['inference']['forward']['{name}']" for name in ("cropsize", "stride")]


@pytest.mark.parametrize(
    "entry", ["'Resize'", "('Resize',)", "{}", "3", "('Resize', 3)", "(3, {})", "['Resize', {}, {}]"]
)
def test_a_malformed_pipeline_entry_names_its_position(entry):
    found = only(f"dataset.test.data_pipelines.1={entry}")
    assert found.place == "SEGMENTOR_CFG['dataset']['test']['data_pipelines'][1]"
    assert "('Resize', {'output_size': 512})" in found.message


def test_both_documented_forms_of_a_transform_pass():
    assert problems("dataset.train.data_pipelines.2={'type': 'RandomFlip', 'prob': 0.5}") == []
    assert problems("dataset.train.data_pipelines=3")[0].message.endswith("it must be a list of transforms")


# values that are not set: C05


@pytest.mark.parametrize("name", REGISTERED_SEGMENTOR_CONFIGS)
def test_one_error_lists_what_a_base_config_leaves_open(name):
    with pytest.raises(ConfigError) as caught:
        require_valid(REGISTERED_SEGMENTOR_CONFIGS[name])
    for place in ("['num_classes']", "['dataset']", "['dataloader']", "['scheduler']['max_epochs']"):
        assert f"SEGMENTOR_CFG{place}" in str(caught.value)


def test_nothing_is_open_in_an_experiment():
    require_valid(load_config("fcn_resnet50os16_voc"))


def test_an_empty_config_has_problems_and_no_crash():
    places = {problem.place for problem in check_config(SegmentorConfig())}
    assert {"SEGMENTOR_CFG['type']", "SEGMENTOR_CFG['backbone']", "SEGMENTOR_CFG['dataset']"} <= places


# what must fit together: C06, C07, C13, C14


def test_num_classes_must_be_the_data_sets():
    found = only("num_classes=19")
    assert found.place == "SEGMENTOR_CFG['num_classes']"
    assert "19" in found.message
    assert "VOCDataset has 21 classes" in found.message


def test_classes_of_a_joined_data_set_are_those_of_its_maps():
    part = {"type": "VOCDataset", "rootdir": "VOC", "seg_target_remapper": {0: 0, 5: 2}}
    cfg = load_config("fcn_resnet50os16_voc", ["num_classes=3"])
    cfg["dataset"] = {"type": "MultipleDataset", "train": {"voc": part}}
    assert not [problem for problem in check_config(cfg) if "num_classes" in problem.place]
    cfg["num_classes"] = 4
    assert [problem.message for problem in check_config(cfg) if "num_classes" in problem.place] == [
        "is 4, but MultipleDataset has 3 classes"
    ]


@pytest.mark.parametrize(
    "overrides",
    [
        ["~losses.loss_aux"],
        ["losses.loss_aux1={'type': 'CrossEntropyLoss'}"],
        ["auxiliary=[{'in_channels': 1024, 'dropout': 0, 'out_channels': 8}, {'in_channels': 1024, 'dropout': 0}]"],
        ["~losses.loss_cls"],
    ],
)
def test_losses_must_be_those_of_the_predictions(overrides):
    found = only(*overrides)
    assert found.place == "SEGMENTOR_CFG['losses']"
    assert "loss_cls" in found.message
    assert "auxiliary head" in found.message


def test_losses_of_a_segmentor_that_names_its_own_predictions_are_left_to_it():
    class Own(BaseSegmentor):
        def forward(self, data_meta):
            return data_meta

    SegmentorBuilder().register("Own", Own)
    try:
        assert problems("type=Own", "losses={}") == []
    finally:
        SegmentorBuilder().delete("Own")


def test_widths_must_fit_the_backbone():
    found = only("head.in_channels=512", build=True)
    assert found.place == "SEGMENTOR_CFG['head']['in_channels']"
    assert "2048" in found.message


def test_a_rule_that_almost_names_a_parameter_is_a_warning():
    found = only("scheduler.optimizer.params_rules={'backbone_nett': {'lr_multiplier': 0.1}}", build=True)
    assert (found.place, found.severity) == ("SEGMENTOR_CFG['scheduler']['optimizer']['params_rules']", "warning")
    assert "backbone_nett" in found.message


# all at once: C16


def test_all_problems_are_reported_sorted_by_place():
    found = problems(
        "num_classes=19",
        "+head.dropuot=1",
        "act_cfg.type=Relu",
        "dataset.train.data_pipelines.2.1.prob=2",
        "+dataset.train.data_pipelines.1.1.size=2",
        "runtime.sed=3",
    )
    assert [problem.place.removeprefix("SEGMENTOR_CFG") for problem in found] == [
        "['act_cfg']['type']",
        "['dataset']['train']['data_pipelines'][1]['size']",
        "['dataset']['train']['data_pipelines'][2]",
        "['head']['dropuot']",
        "['num_classes']",
        "['runtime']['sed']",
    ]


def test_positions_are_sorted_by_number():
    pipelines = [("RandomFlip", {"prob": 2 + i}) for i in range(12)]
    found = problems(f"dataset.test.data_pipelines={pipelines}")
    assert [int(problem.place.split("[")[-1][:-1]) for problem in found] == list(range(12))


def replaced(node, value):
    """Yield (path, function that puts `value` at that path of a copy) for every entry below `node`."""
    for key in list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield (key,)
        for path in replaced(node[key], value):
            yield (key, *path)


@pytest.mark.parametrize("value", [None, 3, "x", [], [{"type": "x"}], {1: 2}])
def test_no_value_anywhere_makes_the_check_itself_fail(value):
    original = load_config("fcn_resnet50os16_voc")
    for path in replaced(original, value):
        cfg = original.copy()
        *inner, last = path
        node = cfg
        for key in inner:
            node = node[key]
        node[last] = value
        assert isinstance(check_config(cfg), list), path
