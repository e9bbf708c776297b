import pytest
import torch

from ssseg.modules import SSSegInputStructure, SSSegOutputStructure

IMAGES, TARGETS, LOSS = torch.zeros(2, 3, 4, 4), torch.zeros(2, 4, 4), torch.tensor(1.0)


@pytest.mark.parametrize("mode", ["TRAIN", "TRAIN_DEVELOP"])
def test_training_input_needs_a_target(mode):
    with pytest.raises(ValueError, match="'seg_targets' or 'edge_targets'"):
        SSSegInputStructure(mode=mode, images=IMAGES)
    assert SSSegInputStructure(mode=mode, images=IMAGES, edge_targets=TARGETS).getannotations().keys() == {
        "edge_targets"
    }


def test_test_input_needs_images_only():
    SSSegInputStructure(mode="TEST", images=IMAGES)
    with pytest.raises(ValueError, match="needs 'images'"):
        SSSegInputStructure(mode="TEST")


@pytest.mark.parametrize(
    ("mode", "fields", "message"),
    [
        ("TRAIN", {"loss": LOSS}, "needs 'losses_log_dict'"),
        ("TRAIN", {"loss": LOSS, "losses_log_dict": {}, "seg_logits": IMAGES}, "has no 'seg_logits'"),
        ("TEST", {}, "needs 'seg_logits'"),
        ("TEST", {"seg_logits": IMAGES, "loss": LOSS}, "has no 'loss'"),
        ("TRAIN_DEVELOP", {"loss": LOSS, "losses_log_dict": {}}, "needs 'seg_logits'"),
        ("DEVELOP", {"loss": LOSS}, "mode='DEVELOP' must be one of"),
    ],
)
def test_output_rules(mode, fields, message):
    with pytest.raises(ValueError, match=message):
        SSSegOutputStructure(mode=mode, **fields)


def test_set_variables_come_in_order_without_settings():
    output = SSSegOutputStructure(mode="TRAIN", losses_log_dict={"a": LOSS}, loss=LOSS)
    loss, losses = output.getsetvariables().values()
    assert (loss, losses) == (LOSS, {"a": LOSS})


def test_validation_can_wait():
    structure = SSSegOutputStructure(mode="TRAIN", auto_validate=False)
    structure.setvariable("loss", LOSS)
    with pytest.raises(ValueError, match="losses_log_dict"):
        structure.validate()


def test_fields_can_be_added_changed_and_removed():
    structure = SSSegInputStructure(images=IMAGES, seg_targets=TARGETS)
    structure.addfield("depth", TARGETS)
    assert "depth" in structure.getsetvariables()
    with pytest.raises(AttributeError, match="has a field 'depth' already"):
        structure.addfield("depth", TARGETS)
    structure.delfield("depth")
    with pytest.raises(AttributeError, match="has no field 'depth'"):
        structure.setvariable("depth", TARGETS)
    with pytest.raises(ValueError, match="needs 'images'"):
        structure.setvariable("images", None)


def test_index_and_stack_undo_one_another():
    structure = SSSegInputStructure(images=torch.rand(2, 3, 4, 4), seg_targets=TARGETS)
    again = SSSegInputStructure.stack([structure[0], structure[1]])
    assert torch.equal(again.images, structure.images)


def test_only_tensors_can_be_indexed():
    with pytest.raises(TypeError, match="'losses_log_dict' is a dict"):
        SSSegOutputStructure(mode="TRAIN", loss=LOSS, losses_log_dict={"a": LOSS})[0]
