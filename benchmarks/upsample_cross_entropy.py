"""Upsampling and cross entropy, forward and backward.

A contender takes (logits, labels): (N, K, h, w) float32 and (N, H, W) int64, labels of -100 being ignored. It returns
the mean loss and the gradient with respect to the logits.
"""

import harness
import torch
import torch.nn.functional as F

from ssseg.modules.models.upsampling import upsampled_cross_entropy


def plain(logits, labels):
    leaf = logits.clone().requires_grad_()
    loss = F.cross_entropy(F.interpolate(leaf, labels.shape[1:], mode="bilinear", align_corners=False), labels)
    loss.backward()
    return loss.detach(), leaf.grad


def one_hot(logits, labels):
    """Through one-hot targets, as is sometimes done."""
    leaf = logits.clone().requires_grad_()
    large = F.interpolate(leaf, labels.shape[1:], mode="bilinear", align_corners=False)
    scores = large.permute(0, 2, 3, 1).reshape(-1, large.shape[1])
    target = labels.reshape(-1)
    valid = target != -100
    hot = F.one_hot(target[valid], large.shape[1]).float()
    loss = F.cross_entropy(scores[valid], hot)
    loss.backward()
    return loss.detach(), leaf.grad


def ours(logits, labels):
    leaf = logits.clone().requires_grad_()
    loss, weight = upsampled_cross_entropy(leaf, labels)
    loss = loss / weight
    loss.backward()
    return loss.detach(), leaf.grad


def inputs(n, k, small, large):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, k, (n, *large), generator=generator)
    labels[:, : large[0] // 10] = -100
    return 3 * torch.randn(n, k, *small, generator=generator), labels


def differ(expected, result):
    loss = abs(float(result[0] / expected[0]) - 1)
    gradient = float((result[1] - expected[1]).abs().max() / expected[1].abs().max())
    return f"loss {loss:.0e}, gradient {gradient:.0e}"


CASES = {
    f"{n} x {k} x {small[0]}x{small[1]} to {large[0]}x{large[1]}": (
        lambda n=n, k=k, small=small, large=large: inputs(n, k, small, large)
    )
    for n, k, small, large in (
        (1, 150, (128, 128), (512, 512)),
        (4, 150, (128, 128), (512, 512)),
        (1, 150, (64, 64), (512, 512)),
        (2, 19, (128, 128), (512, 512)),
        (1, 19, (97, 193), (769, 1537)),
        (2, 150, (32, 32), (256, 256)),
    )
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    harness.main(__doc__, CASES, {"plain": plain, "one-hot": one_hot, "ours": ours}, differ)
