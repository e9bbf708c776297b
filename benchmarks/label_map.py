"""From small logits to a label map at the size of the image.

A contender takes (logits, size): (N, K, h, w) float32 and (H, W). It returns label maps (N, H, W).
"""

import harness
import torch
import torch.nn.functional as F

from ssseg.modules.models.upsampling import upsampled_labels


def plain(logits, size):
    """As is usual: int64 from torch, int32 for the metrics, one image at a time."""
    large = F.interpolate(logits, size, mode="bilinear", align_corners=False)
    return torch.stack([image.argmax(dim=0).int() for image in large])


def logits_of(num_classes, small, large, cell):
    """Scores of regions of about `cell` places, noise of 1 % on them; 0 is noise alone."""
    generator = torch.Generator().manual_seed(0)
    h, w = small
    noise = torch.randn(1, num_classes, h, w, generator=generator)
    if not cell:
        return noise, large
    coarse = torch.randn(1, num_classes, -(-h // cell), -(-w // cell), generator=generator)
    return F.interpolate(4 * coarse, small, mode="bicubic") + 0.01 * noise, large


def differ(expected, labels):
    return f"{int((expected != labels).sum())} of {labels.numel()} pixels differ"


CASES = {
    f"{k} x {small[0]}x{small[1]} to {large[0]}x{large[1]}, {name}": (
        lambda k=k, small=small, large=large, cell=cell: logits_of(k, small, large, cell)
    )
    for k, small, large in (
        (150, (128, 128), (512, 512)),
        (150, (64, 64), (512, 683)),
        (19, (128, 256), (1024, 2048)),
        (19, (256, 512), (1024, 2048)),
    )
    for name, cell in (("large regions", 64), ("regions", 32), ("small regions", 12), ("noise", 0))
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    harness.main(__doc__, CASES, {"plain": plain, "ours": upsampled_labels}, differ)
