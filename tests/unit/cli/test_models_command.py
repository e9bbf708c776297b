import argparse

from ssseg.cli import models
from ssseg.modules.utils.configfiles import experiments


def listed(capsys, *words):
    parser = argparse.ArgumentParser()
    models.add_parser(parser.add_subparsers())
    assert models.run(parser.parse_args(["models", "list", *words])) == 0
    return capsys.readouterr().out.splitlines()


def test_every_experiment_has_a_line_that_says_what_it_is(capsys):
    lines = listed(capsys)
    assert [line.split()[0] for line in lines] == list(experiments())
    assert all(len(line.split()) > 3 for line in lines)


def test_words_narrow_the_list(capsys):
    lines = listed(capsys, "FCN_", "mobilenet", "pascal")
    assert [line.split()[0] for line in lines] == ["fcn_mobilenetv2os8_voc"]


def test_nothing_fits(capsys):
    assert listed(capsys, "fcn", "nonesuch") == [
        f"none of the {len(experiments())} experiments mentions fcn and nonesuch"
    ]
