import argparse
import json
import subprocess
import sys
import textwrap

import pytest

from ssseg.cli import config
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import ConfigError


@pytest.fixture
def ssseg(capsys):
    """Run `ssseg config ...`; return the exit code and what it printed."""

    def run(*arguments):
        parser = argparse.ArgumentParser()
        config.add_parser(parser.add_subparsers())
        code = config.run(parser.parse_args(["config", *arguments]))
        return code, capsys.readouterr().out

    return run


def test_show_prints_python_that_defines_the_config(ssseg, tmp_path):
    code, printed = ssseg("show", "fcn_resnet50os16_voc", "head.dropout=0.25", "~auxiliary")
    path = tmp_path / "shown.py"
    path.write_text(printed)
    assert code == 0
    assert load_config(path) == load_config("fcn_resnet50os16_voc", ["head.dropout=0.25", "~auxiliary"])


def test_check_without_problems(ssseg):
    code, printed = ssseg("check", "fcn_resnet50os8_voc")
    assert (code, printed) == (0, "fcn_resnet50os8_voc: 0 errors, 0 warnings\n")


def test_check_prints_every_problem(ssseg):
    code, printed = ssseg("check", "fcn_resnet50os8_voc", "num_classes=3", "+head.dropuot=1", "+mine=1")
    lines = printed.splitlines()
    assert code == 2
    assert lines[0].startswith(
        "error: SEGMENTOR_CFG['head']['dropuot']: FCN has no such field. Did you mean 'dropout'?"
    )
    assert lines[1].startswith("warning: SEGMENTOR_CFG['mine']: ")
    assert lines[2].startswith("error: SEGMENTOR_CFG['num_classes']: is 3, but VOCDataset has 21 classes")
    assert lines[3] == "fcn_resnet50os8_voc: 2 errors, 1 warnings"


def test_check_builds_the_model_when_nothing_else_is_wrong(ssseg):
    code, printed = ssseg("check", "fcn_resnet50os8_voc", "head.in_channels=512")
    assert code == 2
    assert printed.startswith("error: SEGMENTOR_CFG['head']['in_channels']: is 512")


def test_warnings_count_with_strict(ssseg):
    assert ssseg("check", "fcn_resnet50os8_voc", "+mine=1")[0] == 0
    assert ssseg("check", "--strict", "fcn_resnet50os8_voc", "+mine=1")[0] == 2
    assert ssseg("check", "--strict", "fcn_resnet50os8_voc")[0] == 0


def test_a_rule_that_fits_nothing_is_an_error_with_strict(ssseg):
    rule = "scheduler.optimizer.params_rules={'backbone_nett': {'lr_multiplier': 0.1}}"
    assert ssseg("check", "fcn_resnet50os8_voc", rule)[0] == 0
    code, printed = ssseg("check", "--strict", "fcn_resnet50os8_voc", rule)
    assert code == 2
    assert "backbone_nett" in printed


def test_check_as_json(ssseg):
    code, printed = ssseg("check", "--json", "fcn_resnet50os8_voc", "num_classes=3")
    assert code == 2
    assert [(p["place"], p["severity"]) for p in json.loads(printed)] == [("SEGMENTOR_CFG['num_classes']", "error")]
    assert json.loads(ssseg("check", "--json", "fcn_resnet50os8_voc")[1]) == []


def test_explain_an_entry_of_the_base_config(ssseg):
    code, printed = ssseg("explain", "fcn_resnet50os16_voc", "losses.loss_cls.type")
    assert code == 0
    assert printed.splitlines() == [
        "SEGMENTOR_CFG['losses']['loss_cls']['type'] = 'CrossEntropyLoss'",
        "type: str",
        "set by: the base config FCN_SEGMENTOR_CFG",
    ]


def test_explain_an_entry_of_the_experiment(ssseg):
    _, printed = ssseg("explain", "fcn_resnet50os16_voc", "backbone.outstride")
    first, _, third, last = printed.splitlines()
    assert first == "SEGMENTOR_CFG['backbone']['outstride'] = 16"
    assert third.startswith("set by: the file ")
    assert third.endswith("fcn/fcn_resnet50os16_voc.py")
    assert last == "FCN_SEGMENTOR_CFG has: 8"


def test_explain_an_entry_of_an_override(ssseg):
    _, printed = ssseg("explain", "fcn_resnet50os16_voc", "runtime.seed", "runtime.seed=3")
    assert printed.splitlines() == [
        "SEGMENTOR_CFG['runtime']['seed'] = 3",
        "type: int",
        "set by: an override",
        "the file has: nothing",
        "FCN_SEGMENTOR_CFG has: nothing",
    ]


def test_explain_an_unknown_entry_suggests_the_nearest(ssseg):
    with pytest.raises(ConfigError, match="Did you mean 'dropout'"):
        ssseg("explain", "fcn_resnet50os16_voc", "head.dropot")


def test_explain_a_value_that_has_no_literal(ssseg, tmp_path):
    path = tmp_path / "odd.py"
    path.write_text("SEGMENTOR_CFG = {'head': {'function': print}}")
    with pytest.raises(ConfigError, match=r"SEGMENTOR_CFG\['head'\]\['function'\]"):
        ssseg("explain", str(path), "head.function")


def test_diff(ssseg):
    code, printed = ssseg("diff", "fcn_resnet50os16_voc", "fcn_resnet101os16_voc")
    assert code == 0
    assert "- backbone.depth = 50\n+ backbone.depth = 101\n" in printed
    assert "num_classes" not in printed
    assert ssseg("diff", "fcn_resnet50os16_voc", "fcn_resnet50os16_voc") == (0, "")


def test_diff_of_entries_that_one_config_lacks(ssseg):
    _, printed = ssseg("diff", "fcn_resnet50os8_ade20k", "fcn_resnet50os8_apexfp16_ade20k")
    assert "+ fp16_cfg = {'type': 'apex', 'initialize': {'opt_level': 'O1'}, 'scale_loss': {}}\n" in printed
    assert "- fp16_cfg" not in printed


@pytest.mark.parametrize(
    "arguments",
    [
        ["config", "show", "fcn_resnet50os16_voc"],
        ["config", "diff", "fcn_resnet50os16_voc", "pspnet_resnet50os16_voc"],
        ["config", "explain", "fcn_resnet50os16_voc", "head"],
        ["models", "list"],
    ],
)
def test_what_only_reads_configs_loads_no_torch(arguments):
    code = f"""
        import argparse, sys
        from ssseg.cli import config, models
        parser = argparse.ArgumentParser()
        commands = parser.add_subparsers()
        config.add_parser(commands), models.add_parser(commands)
        options = parser.parse_args({arguments!r})
        code = {arguments[0]}.run(options)
        sys.exit(10 if "torch" in sys.modules or "numpy" in sys.modules else code)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    assert subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0
