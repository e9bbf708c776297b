import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ssseg.configs._base_ import REGISTERED_DATASET_CONFIGS, DatasetConfig, SegmentorConfig
from ssseg.modules.utils.configfiles import configs_folder
from ssseg.modules.utils.configparser import ConfigParser, load_config
from ssseg.modules.utils.errors import ConfigError, UnknownNameError

DOCUMENTED = """
import os
from .._base_ import REGISTERED_SEGMENTOR_CONFIGS, REGISTERED_DATASET_CONFIGS, REGISTERED_DATALOADER_CONFIGS


# deepcopy
SEGMENTOR_CFG = REGISTERED_SEGMENTOR_CONFIGS['FCN_SEGMENTOR_CFG'].copy()
# modify dataset config
SEGMENTOR_CFG['dataset'] = REGISTERED_DATASET_CONFIGS['DATASET_CFG_VOCAUG_512x512'].copy()
# modify dataloader config
SEGMENTOR_CFG['dataloader'] = REGISTERED_DATALOADER_CONFIGS['DATALOADER_CFG_BS16'].copy()
# modify scheduler config
SEGMENTOR_CFG['scheduler']['max_epochs'] = 60
# modify other segmentor configs
SEGMENTOR_CFG['num_classes'] = 21
SEGMENTOR_CFG['backbone'] = {
    'type': 'ResNet', 'depth': 50, 'structure_type': 'resnet50conv3x3stem',
    'pretrained': True, 'outstride': 16, 'use_conv3x3_stem': True, 'selected_indices': (2, 3),
}
SEGMENTOR_CFG['work_dir'] = os.path.split(__file__)[-1].split('.')[0]
SEGMENTOR_CFG['logger_handle_cfg']['logfilepath'] = os.path.join(SEGMENTOR_CFG['work_dir'], f"{os.path.split(__file__)[-1].split('.')[0]}.log")
"""  # noqa: E501  (as the tutorial has it)


@pytest.fixture
def write(tmp_path):
    """Write a file below `mine/` and return its path."""

    def written(source, name="mine/config.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
        return path

    return written


def error_of(given):
    with pytest.raises(ConfigError) as caught:
        ConfigParser()(given)
    return str(caught.value)


def test_it_returns_the_module_and_the_absolute_path(write, monkeypatch):
    path = write("SEGMENTOR_CFG = {'type': 'FCN'}")
    monkeypatch.chdir(path.parent)
    module, absolute = ConfigParser(library_name="ssseg")("config.py")
    assert module.SEGMENTOR_CFG == {"type": "FCN"}
    assert absolute == str(path)
    assert module.__file__ == str(path)


def test_the_documented_experiment_equals_ours_inside_and_outside_the_package(write, monkeypatch):
    path = write(DOCUMENTED, "fcn/fcn_resnet50os16_voc.py")
    ours = load_config("fcn_resnet50os16_voc")
    assert load_config(path) == ours
    monkeypatch.chdir(path.parent)
    assert load_config("fcn_resnet50os16_voc.py").work_dir == "fcn_resnet50os16_voc"


def test_the_documented_experiment_inside_a_package(write, tmp_path, monkeypatch):
    write("", "mylib/__init__.py")
    write("", "mylib/configs/__init__.py")
    shutil.copytree(configs_folder() / "_base_", tmp_path / "mylib" / "configs" / "_base_")
    path = write(DOCUMENTED, "mylib/configs/fcn/fcn_resnet50os16_voc.py")
    monkeypatch.syspath_prepend(tmp_path)
    module, absolute = ConfigParser(library_name="mylib")("fcn_resnet50os16_voc")
    assert absolute == str(path)
    assert type(module.SEGMENTOR_CFG).__module__ == "mylib.configs._base_.segmentors.default_segmentor"
    assert dict(module.SEGMENTOR_CFG["backbone"]) == load_config("fcn_resnet50os16_voc")["backbone"]
    for name in [name for name in sys.modules if name.startswith("mylib")]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.parametrize(
    "given", ["fcn_resnet50os16_voc", "fcn/fcn_resnet50os16_voc", "ssseg/configs/fcn/fcn_resnet50os16_voc.py"]
)
def test_experiments_are_found_by_name_from_any_folder(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fcn_resnet50os16_voc").mkdir()  # a run's work_dir has the experiment's name
    cfg = load_config(given)
    assert cfg["work_dir"] == "fcn_resnet50os16_voc"
    assert cfg["dataset"]["rootdir"].endswith("VOCdevkit/VOC2012")


def test_both_documented_ways_to_the_base_config(write):
    way1 = """
        from .._base_ import REGISTERED_SEGMENTOR_CONFIGS
        SEGMENTOR_CFG = REGISTERED_SEGMENTOR_CONFIGS['FCN_SEGMENTOR_CFG'].copy()
    """
    one = load_config(write(way1))
    two = load_config(write("from .._base_.segmentors.fcn import FCN_SEGMENTOR_CFG as SEGMENTOR_CFG"))
    assert one == two
    assert one.type == "FCN"


def test_editing_an_imported_base_config_does_not_reach_the_next_file(write):
    way2 = "from .._base_.segmentors.fcn import FCN_SEGMENTOR_CFG as SEGMENTOR_CFG\n"
    assert load_config(write(way2 + "SEGMENTOR_CFG['head']['dropout'] = 0.9"))["head"]["dropout"] == 0.9
    assert load_config(write(way2))["head"]["dropout"] == 0.1


def test_editing_an_imported_experiment_does_not_reach_the_next_file(write):
    derived = "from ..fcn.fcn_resnet50os16_voc import SEGMENTOR_CFG\n"
    assert load_config(write(derived + "SEGMENTOR_CFG['num_classes'] = 3"))["num_classes"] == 3
    assert load_config(write(derived))["num_classes"] == 21


def test_siblings_can_be_imported_and_are_read_anew(write):
    write("HEAD = {'dropout': 0.1}", "mine/common.py")
    path = write("from .common import HEAD\nSEGMENTOR_CFG = {'head': HEAD}")
    assert load_config(path)["head"] == {"dropout": 0.1}
    write("HEAD = {'dropout': 0.25}", "mine/common.py")
    assert load_config(path)["head"] == {"dropout": 0.25}


def test_a_file_edited_within_a_second_is_read_anew(write):
    path = write("SEGMENTOR_CFG = {'num_classes': 2}")
    assert load_config(path).num_classes == 2
    stamp = path.stat()
    path.write_text("SEGMENTOR_CFG = {'num_classes': 3}")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert load_config(path).num_classes == 3
    assert not (path.parent / "__pycache__").exists()


def test_a_base_of_ones_own_beside_the_folder_is_used(write):
    write("BASE = {'type': 'Mine', 'dataset': {'set': 'x'}}", "_base_/__init__.py")
    path = write("from .._base_ import BASE\nSEGMENTOR_CFG = dict(BASE, num_classes=2)")
    cfg = load_config(path)
    assert isinstance(cfg, SegmentorConfig)
    assert (cfg.type, cfg.num_classes, cfg.head) == ("Mine", 2, None)
    write("BASE = {'type': 'Other'}", "_base_/__init__.py")
    os.utime(path.parents[1] / "_base_" / "__init__.py", (1, 1))
    assert load_config(path).type == "Other"


def test_mappings_of_other_classes_become_our_config(write):
    source = """
        from types import MappingProxyType
        from .._base_ import REGISTERED_DATASET_CONFIGS
        SEGMENTOR_CFG = MappingProxyType({
            'head': MappingProxyType({'scales': [1, 2]}),
            'dataset': REGISTERED_DATASET_CONFIGS['DATASET_CFG_VOCAUG_512x512'],
        })
    """
    cfg = load_config(write(source))
    assert type(cfg["head"]) is dict
    assert isinstance(cfg["dataset"], DatasetConfig)
    assert cfg["dataset"] == REGISTERED_DATASET_CONFIGS["DATASET_CFG_VOCAUG_512x512"]


def test_a_link_keeps_its_own_name_and_folder(write, tmp_path):
    target = write("import os\nSEGMENTOR_CFG = {'work_dir': os.path.split(__file__)[-1]}")
    (tmp_path / "link.py").symlink_to(target)
    assert load_config(tmp_path / "link.py").work_dir == "link.py"


def test_a_base_config_is_no_experiment():
    assert "_base_/segmentors/fcn.py: is a base config" in error_of("ssseg/configs/_base_/segmentors/fcn.py")
    assert "is a base config" in error_of(configs_folder() / "_base_" / "datasets" / "vocaug_512x512.py")


def test_a_field_that_the_file_deleted_is_none(write):
    cfg = load_config(
        write("from .._base_.segmentors.fcn import FCN_SEGMENTOR_CFG as SEGMENTOR_CFG\ndel SEGMENTOR_CFG.auxiliary")
    )
    assert cfg["auxiliary"] is None


def test_loading_leaves_no_module_behind(write):
    before = set(sys.modules)
    load_config(write("from .._base_ import experiment\nfrom . import config\nSEGMENTOR_CFG = {}"))
    load_config("fcn_resnet50os16_voc")
    assert set(sys.modules) == before


def test_a_name_with_dots_and_a_folder_that_is_no_identifier(write):
    path = write("from .._base_ import experiment\nSEGMENTOR_CFG = {'type': 'FCN'}", "my-configs v1.2/fcn.v2.py")
    assert load_config(path).type == "FCN"


def test_configs_load_and_resolve_without_torch():
    code = """
        import sys
        from ssseg.modules.utils.configparser import load_config, resolved_source
        resolved_source(load_config("deeplabv3_resnet50os8_pascalcontext", ["head.dropout=0.2"]))
        print("torch" in sys.modules, "numpy" in sys.modules)
    """
    assert subprocess.check_output([sys.executable, "-c", textwrap.dedent(code)], text=True) == "False False\n"


def test_torch_values_stay_what_they_are_in_memory_and_become_names_in_the_copy(write, tmp_path):
    import torch

    path = write(
        "import torch\nSEGMENTOR_CFG = {'fp16_cfg': {'type': 'pytorch', 'autocast': {'dtype': torch.float16}}}"
    )
    assert load_config(path).fp16_cfg["autocast"]["dtype"] is torch.float16
    parser = ConfigParser()
    parser(path)
    assert load_config(parser.save(tmp_path / "work")).fp16_cfg["autocast"]["dtype"] == "float16"


def test_save_writes_a_copy_that_loads_equal_from_anywhere(tmp_path, monkeypatch):
    parser = ConfigParser()
    module, _ = parser("pspnet_resnet50os8_ade20k")
    saved = parser.save(tmp_path / "runs" / "one")
    assert saved == str(tmp_path / "runs" / "one" / "configs" / "pspnet_resnet50os8_ade20k.py")
    monkeypatch.chdir("/")
    assert load_config(saved) == module.SEGMENTOR_CFG
    assert ConfigParser()(saved)[0].SEGMENTOR_CFG == module.SEGMENTOR_CFG


def test_save_writes_the_config_that_it_is_given(tmp_path):
    parser = ConfigParser()
    parser("fcn_resnet50os16_voc")
    cfg = load_config("fcn_resnet50os16_voc", ["num_classes=3"])
    assert load_config(parser.save(tmp_path, cfg)) == cfg


def test_save_before_loading_says_so(tmp_path):
    with pytest.raises(ConfigError, match="load a config before"):
        ConfigParser().save(tmp_path)


def test_overrides_change_a_copy(write):
    module, path = ConfigParser()(write("SEGMENTOR_CFG = {'num_classes': 2}"))
    assert load_config(path, ["num_classes=5"]).num_classes == 5
    assert module.SEGMENTOR_CFG == {"num_classes": 2}


# faults


def test_missing_file_names_the_nearest_beside_it(write, tmp_path):
    write("", "mine/fcn_voc.py")
    assert error_of(tmp_path / "mine" / "fcn_vok.py").endswith(f"Did you mean '{tmp_path}/mine/fcn_voc.py'?")


def test_missing_experiment_names_the_nearest():
    message = error_of("fcn_resnet50os16_vox")
    assert message.startswith("fcn_resnet50os16_vox: there is no such config file")
    assert "Did you mean 'fcn_resnet50os16_voc'?" in message
    with pytest.raises(UnknownNameError):
        load_config("fcn_resnet50os16_vox")


@pytest.mark.parametrize("given", ["ssseg/configs/fcn/fcn_resnet50os16_vox.py", "elsewhere/fcn_resnet50os16_voc.py"])
def test_a_missing_path_is_never_replaced_by_an_experiment(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert error_of(given).startswith(f"{given}: there is no such config file. Did you mean 'fcn_resnet50os16_voc'?")


def test_folder(write, tmp_path):
    write("")
    assert error_of(tmp_path / "mine") == f"{tmp_path}/mine: is a folder, not a config file. It holds: config.py."


def test_not_python(write):
    assert ".py file that defines SEGMENTOR_CFG" in error_of(write("", "mine/config.yaml"))


def test_syntax_error_has_its_line(write):
    path = write("a = 1\nb = (\n")
    assert error_of(path).startswith(f"{path}:2: SyntaxError: ")


def test_syntax_error_in_an_imported_file_has_that_files_line(write):
    common = write("x = 1\ny =\n", "mine/common.py")
    assert error_of(write("from .common import x")).startswith(f"{common}:2: SyntaxError: ")


def test_error_while_running_has_the_line_of_the_config(write):
    path = write("from .._base_ import REGISTERED_SEGMENTOR_CONFIGS as R\n\nSEGMENTOR_CFG = R['FCNN_SEGMENTOR_CFG']\n")
    message = error_of(path)
    assert message.startswith(f"{path}:3: UnknownConfigError: ")
    assert "Did you mean 'FCN_SEGMENTOR_CFG'?" in message


def test_a_syntax_error_raised_by_the_config_itself_has_its_line(write):
    path = write("import ast\nast.literal_eval('1 +')\n")
    assert error_of(path).startswith(f"{path}:2: SyntaxError: ")


def test_a_failed_load_leaves_no_module_behind(write):
    before = set(sys.modules)
    error_of(write("from .._base_ import experiment\n1 / 0"))
    assert set(sys.modules) == before


def test_no_segmentor_cfg(write):
    path = write("SEGMENTER_CFG = {}")
    assert error_of(path) == f"{path}: defines no SEGMENTOR_CFG. Did you mean 'SEGMENTER_CFG'?"


@pytest.mark.parametrize(("source", "kind"), [("SEGMENTOR_CFG = []", "list"), ("SEGMENTOR_CFG = None", "NoneType")])
def test_segmentor_cfg_of_another_kind(write, source, kind):
    assert f"SEGMENTOR_CFG is a {kind}" in error_of(write(source))


@pytest.mark.parametrize(
    ("loop", "place"),
    [
        ("SEGMENTOR_CFG['head'] = SEGMENTOR_CFG", "['head']"),
        ("SEGMENTOR_CFG['losses']['a'] = [SEGMENTOR_CFG]", "['losses']['a'][0]"),
    ],
)
def test_segmentor_cfg_that_holds_itself(write, loop, place):
    path = write(f"SEGMENTOR_CFG = {{'type': 'FCN', 'losses': {{}}, 'head': {{}}}}\n{loop}\n")
    assert error_of(path) == f"{path}: SEGMENTOR_CFG{place}: is a part of itself; give it a copy"


def test_segmentor_cfg_with_keys_that_are_no_strings(write):
    with pytest.raises(ConfigError, match="keys that are no strings"):
        load_config(write("SEGMENTOR_CFG = {1: 2}"))


def test_pickled_config_is_refused_and_never_read(write, tmp_path):
    import pickle

    class Payload:
        def __reduce__(self):
            return Path.touch, (tmp_path / "marker",)

    path = tmp_path / "fcn.pkl"
    path.write_bytes(pickle.dumps(Payload()))
    message = error_of(path)
    assert "pickled configs are refused" in message
    assert "fcn.py" in message
    assert not (tmp_path / "marker").exists()


def test_the_experiments_folder_is_the_packages():
    assert configs_folder() == Path(sys.modules["ssseg.configs"].__file__).parent
