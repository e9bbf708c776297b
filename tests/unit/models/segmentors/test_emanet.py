import torch

from ssseg.modules.models.segmentors.emanet import ema
from ssseg.modules.models.segmentors.emanet.ema import EMAModule


def test_bases_move_in_training_only_and_are_saved():
    module, x = EMAModule(6, 3, 2, 0.1), torch.randn(2, 6, 4, 5)
    before = module.bases.clone()
    module.eval()(x)
    assert torch.equal(module.bases, before)
    module.train()(x)
    assert not torch.equal(module.bases, before)
    assert torch.equal(module.state_dict()["bases"], module.bases)


def test_two_processes_learn_what_one_learns_of_both_batches(monkeypatch):
    modules, x = [EMAModule(6, 3, 2, 0.1) for _ in range(3)], torch.randn(4, 6, 4, 5)
    for module in modules:
        module.bases.copy_(modules[0].bases)
    whole, first, second = modules
    whole(x)
    means = []
    monkeypatch.setattr(ema, "ddpallreducemean", lambda mean: means.append(mean) or mean)
    second(x[2:])
    monkeypatch.setattr(ema, "ddpallreducemean", lambda mean: (mean + means[0]) / 2)
    first(x[:2])
    torch.testing.assert_close(first.bases, whole.bases)
    assert not torch.allclose(second.bases, whole.bases)
