import torch

from ssseg.engine.build import build_dataset, build_segmentor, load_segmentor
from ssseg.modules import saveckpts
from ssseg.modules.utils.configparser import load_config
from tests.tiny import write_config, write_data


def test_a_checkpoint_is_loaded_without_random_or_pretrained_weights(tmp_path):
    cfg = load_config(write_config(tmp_path, tmp_path / "data"))
    device = torch.device("cpu")
    expected = build_segmentor(cfg, "TRAIN", device).state_dict()
    saveckpts({"model": expected}, tmp_path / "weights.pth", make_soft_link=False)
    cfg["backbone"] = {**cfg["backbone"], "pretrained": True, "pretrained_model_path": str(tmp_path / "nowhere.pth")}
    before = torch.get_rng_state()
    segmentor, _ = load_segmentor(cfg, tmp_path / "weights.pth", device)
    assert torch.equal(torch.get_rng_state(), before)
    assert segmentor.mode == "TEST"
    torch.testing.assert_close(segmentor.state_dict(), expected, rtol=0, atol=0)
    assert cfg["backbone"]["pretrained"]  # the config stays as it is


def test_pictures_repeat_in_training_and_are_measured_once(tmp_path):
    config = write_config(tmp_path, write_data(tmp_path / "data", train=2, val=1))
    cfg = load_config(config, ["dataset.repeat_times=3"])
    assert [len(build_dataset(cfg, mode)) for mode in ("TRAIN", "TEST")] == [6, 1]
    assert len(build_dataset(load_config(config, ["dataset.test.repeat_times=3"]), "TEST")) == 3
