import pytest

from ssseg.engine.problems import Problem, as_problem, check_fields, check_known, failures, section
from ssseg.modules.utils.errors import ConfigError, call_with


def test_the_place_in_an_error_is_taken_over():
    error = ConfigError("SEGMENTOR_CFG['head'][0]: is wrong")
    assert as_problem(error, "elsewhere") == Problem("SEGMENTOR_CFG['head'][0]", "is wrong")
    error = ConfigError("SEGMENTOR_CFG['dataset']['ignore_index']=3.5 must be whole")
    assert as_problem(error, "elsewhere") == Problem("SEGMENTOR_CFG['dataset']['ignore_index']", "3.5 must be whole")


def test_an_error_without_a_place_gets_one():
    assert as_problem(ConfigError("is wrong"), "there") == Problem("there", "is wrong")
    assert as_problem(ValueError("is wrong"), "there") == Problem("there", "ValueError: is wrong")


class Layer:
    def __init__(self, width, *, depth, rate=0.1):
        pass


@pytest.mark.parametrize(
    "fields", [{}, {"width": 1}, {"width": 1, "depth": 2}, {"width": 1, "depth": 2, "raet": 3}, {"depth": 1, "rate": 0}]
)
def test_fields_are_judged_as_building_judges_them(fields):
    problems = list(check_fields(Layer, fields, "SEGMENTOR_CFG['head']"))
    if not problems:
        call_with(Layer, fields, where="SEGMENTOR_CFG['head']")
        return
    with pytest.raises(ConfigError) as caught:
        call_with(Layer, fields, where="SEGMENTOR_CFG['head']")
    assert str(caught.value) in [f"{problem.place}: {problem.message}" for problem in problems]


def test_all_missing_and_unknown_fields_are_reported():
    found = [(p.place, p.message) for p in check_fields(Layer, {"raet": 3}, "here", given=["width"])]
    assert found == [
        ("here['raet']", "Layer has no such field. Did you mean 'rate'? It takes: depth, rate."),
        ("here", "Layer needs 'depth', which is missing."),
    ]


def test_callables_that_take_anything_or_do_not_tell():
    assert list(check_fields(lambda **anything: None, {"x": 1}, "here")) == []
    assert list(check_fields(dict, {"x": 1}, "here")) == []


def test_unknown_keys():
    found = list(check_known({"flip": 1, "flipp": 1, "own": 1}, ["flip"], "here"))
    assert [(p.place, p.severity) for p in found] == [("here['flipp']", "error"), ("here['own']", "warning")]
    assert list(check_known(None, ["flip"], "here")) == []
    assert list(check_known(3, ["flip"], "here")) == [Problem("here", "is 3; it must be a dictionary")]


def test_failures():
    def fail():
        raise ValueError("no")

    assert list(failures(fail, "here")) == [Problem("here", "ValueError: no")]
    assert list(failures(lambda: 1, "here")) == []


def test_section():
    assert section({"a": {"b": {"c": 1}}}, "a", "b") == {"c": 1}
    assert section({"a": 3}, "a", "b") == section(None, "a") == {}
