import pytest

from ssseg.modules.utils import errors
from ssseg.modules.utils.errors import ConfigError, SSSegError, UnknownNameError, call_with, listed, nearest


def test_the_nearest_of_names_that_begin_so_is_the_shortest():
    known = ["segformer_mitb3_voc", "segformer_mitb0_ade20k", "segformer_mitb0_cityscapes", "psa"]
    assert nearest("segformer_mitb0", known) == " Did you mean 'segformer_mitb0_ade20k'?"
    assert nearest("segformer", known) == " Did you mean 'segformer_mitb3_voc'?"
    assert nearest("segformer_mitb3_vo", known) == " Did you mean 'segformer_mitb3_voc'?"


def test_every_error_has_its_exit_code():
    codes = {
        cls.__name__: cls.exit_code
        for cls in vars(errors).values()
        if isinstance(cls, type) and issubclass(cls, SSSegError)
    }
    assert codes == {
        "SSSegError": 1,
        "ConfigError": 2,
        "UnknownNameError": 2,
        "ShapeError": 2,
        "DataError": 3,
        "ImageError": 3,
        "LabelError": 3,
        "CheckpointError": 4,
        "DownloadError": 4,
        "ArchiveError": 4,
        "ResourceError": 5,
        "DistributedError": 5,
        "LostProcessError": 5,
        "DivergedError": 6,
        "StopRequested": 75,
    }


def test_unknown_name_is_a_key_error_without_quotes():
    assert isinstance(UnknownNameError("x"), KeyError)
    assert str(UnknownNameError("no such thing")) == "no such thing"


@pytest.mark.parametrize("typo", ["ResNt", "resnet", "Resnet", "RseNet", "RESNET"])
def test_nearest_sees_through_one_slip_and_case(typo):
    assert nearest(typo, ["PSPNet", "ResNet", "UNet"]) == " Did you mean 'ResNet'?"


def test_nearest_is_silent_when_nothing_is_near():
    assert nearest("zebra", ["PSPNet", "ResNet"]) == ""


def test_listed_cuts_and_counts():
    assert listed("abc") == "a, b, c"
    assert listed(range(5), limit=2) == "0, 1, ... (5 in all)"


def head(*, pool_scales, dropout=0.1):
    return pool_scales, dropout


def test_call_with_calls():
    assert call_with(head, {"pool_scales": [1]}, where="here") == ([1], 0.1)


def test_call_with_names_place_and_nearest_field():
    with pytest.raises(
        ConfigError, match=r"CFG\['head'\]\['pool_scale'\]: head has no such field. Did you mean 'pool_scales'"
    ):
        call_with(head, {"pool_scale": [1]}, where="CFG['head']")


def test_call_with_names_what_is_missing():
    with pytest.raises(ConfigError, match=r"CFG\['head'\]: head needs 'pool_scales', which is missing"):
        call_with(head, {}, where="CFG['head']")


def test_call_with_does_not_offer_what_the_caller_gives():
    with pytest.raises(ConfigError, match=r"It takes: dropout."):
        call_with(head, {"pool_scales": 1, "x": 2}, where="here", given=["pool_scales"])


def test_nearest_takes_the_same_letters_before_similar_ones():
    assert nearest("Adamw", ["Adam", "AdamW"]) == " Did you mean 'AdamW'?"
