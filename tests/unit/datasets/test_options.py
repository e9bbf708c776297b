import pytest

from ssseg.modules.datasets.options import DatasetOptions
from ssseg.modules.utils.errors import ConfigError


def test_defaults_are_the_documented_ones():
    options = DatasetOptions.of({"type": "VOCDataset", "rootdir": ".", "set": "train", "sampling_of_my_class": 3})
    assert options == DatasetOptions(repeat_times=1, eval_env="local", ignore_index=-100, fast_pipeline=True)
    assert not any((options.data_pipelines, options.record_img2aug_pos_mapper, options.label_cache, options.raw_cache))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("repeat_times", 0, "whole number from 1 on"),
        ("repeat_times", -1, "whole number from 1 on"),
        ("repeat_times", 1.5, "whole number from 1 on"),
        ("repeat_times", True, "whole number from 1 on"),
        ("eval_env", "sever", r"'local' or 'server'\. Did you mean 'server'\?"),
        ("ignore_index", None, r"whole number in -32767\.\.32767"),
        ("ignore_index", 2**15, r"whole number in -32767\.\.32767"),
        ("auto_correct_invalid_seg_target", 1, "True or False"),
        ("record_img2aug_pos_mapper", "yes", "True or False"),
    ],
)
def test_d09_values_out_of_range_are_refused(name, value, expected):
    with pytest.raises(ConfigError, match=rf"SEGMENTOR_CFG\['dataset'\]\['{name}'\]={value!r} must be .*{expected}"):
        DatasetOptions.of({name: value})


@pytest.mark.parametrize("entry", [3, (1,), (0, []), ("1", []), (2, "Resize"), (True, [])])
def test_entries_of_a_schedule_have_one_form(entry):
    with pytest.raises(ConfigError, match=r"\['pipeline_schedule'\]\[1\]=.* must be \(first_epoch, data_pipelines\)"):
        DatasetOptions.of({"pipeline_schedule": [(3, []), entry]})


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("repeat_tmes", "repeat_times"),
        ("data_pipeline", "data_pipelines"),
        ("root_dir", "rootdir"),
        ("eval_evn", "eval_env"),
    ],
)
def test_names_that_are_nearly_an_option_are_refused(wrong, right):
    with pytest.raises(ConfigError, match=rf"\['{wrong}'\]: there is no such option\. Did you mean '{right}'\?"):
        DatasetOptions.of({wrong: 1})


def test_a_class_may_have_an_option_of_its_own_beside_a_similar_one():
    DatasetOptions.of({"rootdir": ".", "root_dir": "elsewhere"})
