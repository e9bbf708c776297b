"""The inputs of the loss, transform and metric golden cases, rebuilt from their names.

Everything comes from `fill.stream(<what>:<case>)`, so the golden files only have to
store expected outputs. Needs numpy and torch.
"""

import numpy as np
import torch

from .fill import stream


# ---------------------------------------------------------------- losses
def loss_inputs(case: str, spec: dict):
    """(x_src, x_tgt, weight) of a loss case; `spec` is the case's "inputs" entry.

    src      shape of the prediction, float32 standard normal from ``src:<case>``
    tgt      {"kind": "index"|"onehot"|"normal"|"uniform", ...}
             index   int64 labels in [0, classes) of shape src without axis 1, from ``tgt:<case>``;
                     where the uniform stream ``ign:<case>`` is below ``p_ignore`` the label is ``ignore``
             onehot  those labels one-hot on axis 1, as ``dtype`` ("int64" or "float32")
             normal  standard normal, shape of src, from ``tgt:<case>``
             uniform uniform in [0, 1), shape of src, from ``tgt:<case>``
    weight   shape, uniform in [0, 1) from ``weight:<case>`` (absent: None)
    """
    src_shape = tuple(spec["src"])
    src = torch.from_numpy(stream("src:" + case).standard_normal(size=src_shape)).float()
    t = spec["tgt"]
    if t["kind"] == "normal":
        tgt = torch.from_numpy(stream("tgt:" + case).standard_normal(size=src_shape)).float()
    elif t["kind"] == "uniform":
        tgt = torch.from_numpy(stream("tgt:" + case).uniform(size=src_shape)).float()
    else:
        shape = src_shape[:1] + src_shape[2:]
        labels = stream("tgt:" + case).randint(0, t["classes"], size=shape)
        if t.get("p_ignore"):
            labels[stream("ign:" + case).uniform(size=shape) < t["p_ignore"]] = t["ignore"]
        tgt = torch.from_numpy(labels.astype(np.int64))
        if t["kind"] == "onehot":
            tgt = torch.nn.functional.one_hot(tgt, src_shape[1]).movedim(-1, 1).contiguous()
            tgt = tgt.to(getattr(torch, t.get("dtype", "int64")))
    weight = None
    if spec.get("weight") is not None:
        weight = torch.from_numpy(stream("weight:" + case).uniform(size=tuple(spec["weight"]))).float()
    return src, tgt, weight


# ---------------------------------------------------------------- transforms
def picture(case: str, height: int = 40, width: int = 60) -> np.ndarray:
    """A uint8 BGR test image: a colour ramp, six filled shapes, a little noise. Integer arithmetic only."""
    rng = stream("picture:" + case)
    yy, xx = np.mgrid[0:height, 0:width]
    ramp = np.stack(
        [xx * 255 // max(width - 1, 1), yy * 255 // max(height - 1, 1), (xx + yy) * 255 // max(width + height - 2, 1)],
        axis=2,
    )
    image = ramp.astype(np.int64)
    for _ in range(6):
        cy, cx = rng.randint(0, height), rng.randint(0, width)
        ry, rx = rng.randint(3, max(height // 3, 4)), rng.randint(3, max(width // 3, 4))
        colour = rng.randint(0, 256, size=3)
        if rng.randint(2):
            mask = (abs(yy - cy) <= ry) & (abs(xx - cx) <= rx)
        else:
            mask = ((yy - cy) * rx) ** 2 + ((xx - cx) * ry) ** 2 <= (ry * rx) ** 2
        image[mask] = colour
    image = image + rng.randint(-6, 7, size=image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def label_map(case: str, height: int = 40, width: int = 60, classes: int = 5, ignore=None) -> np.ndarray:
    """A float32 label map (as datasets hand it to transforms): shapes of class 1..classes-1 on 0
    (all 0 when classes is 1)."""
    rng = stream("labelmap:" + case)
    yy, xx = np.mgrid[0:height, 0:width]
    labels = np.zeros((height, width), dtype=np.float32)
    for i in range(8 if classes > 1 else 0):
        cy, cx = rng.randint(0, height), rng.randint(0, width)
        ry, rx = rng.randint(3, max(height // 3, 4)), rng.randint(3, max(width // 3, 4))
        value = float(rng.randint(1, classes))
        if ignore is not None and i == 7:
            value = float(ignore)
        labels[(abs(yy - cy) <= ry) & (abs(xx - cx) <= rx)] = value
    return labels


def sample(spec: dict) -> dict:
    """The sample_meta of a transform case; `spec` is the case's "inputs" entry.

    {"picture": name, "height": h, "width": w, "classes": n, "ignore": value or null,
     "keys": subset of ["image", "seg_target", "edge_target", "img2aug_pos_mapper"]}
    """
    h, w, name = spec["height"], spec["width"], spec["picture"]
    meta = {"width": w, "height": h}
    keys = spec["keys"]
    if "image" in keys:
        meta["image"] = picture(name, h, w)
    if "seg_target" in keys:
        meta["seg_target"] = label_map(name, h, w, spec.get("classes", 5), spec.get("ignore"))
    if "edge_target" in keys:
        meta["edge_target"] = (label_map("edge/" + name, h, w, 3) > 0).astype(np.float64)
    if "img2aug_pos_mapper" in keys:
        meta["img2aug_pos_mapper"] = np.arange(h * w).reshape(h, w).astype(np.float32)
    return meta


# ---------------------------------------------------------------- metrics
def pred_gt_pairs(case: str, spec: dict):
    """(preds, gts): lists of int32 maps. `spec` is the case's "inputs" entry.

    sizes [(h, w), ...]; gt labels from gt_classes (list), predictions equal the label except where
    ``flip:<case>/<i>`` is below p_wrong, there drawn from pred_classes (list); a share p_ignore of
    the gt becomes `ignore`.
    """
    preds, gts = [], []
    for i, (h, w) in enumerate(spec["sizes"]):
        gt = np.asarray(spec["gt_classes"])[stream(f"gt:{case}/{i}").randint(0, len(spec["gt_classes"]), size=(h, w))]
        wrong = np.asarray(spec["pred_classes"])[
            stream(f"pred:{case}/{i}").randint(0, len(spec["pred_classes"]), size=(h, w))
        ]
        flip = stream(f"flip:{case}/{i}").uniform(size=(h, w)) < spec["p_wrong"]
        pred = np.where(flip, wrong, gt)
        gt = gt.copy()
        gt[stream(f"ign:{case}/{i}").uniform(size=(h, w)) < spec["p_ignore"]] = spec["ignore"]
        preds.append(pred.astype(np.int32))
        gts.append(gt.astype(np.int32))
    return preds, gts


# ---------------------------------------------------------------- optimizers
class TinyBlock(torch.nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv = torch.nn.Conv2d(c, c, 3, padding=1)
        self.norm = torch.nn.BatchNorm2d(c)
        self.scale = torch.nn.Parameter(torch.ones(c))


class TinyModel(torch.nn.Module):
    """A small model with named parts for parameter groups, clipping and EMA cases."""

    def __init__(self):
        super().__init__()
        self.pos_embed = torch.nn.Parameter(torch.zeros(1, 4))
        self.backbone_net = torch.nn.Module()
        self.backbone_net.stem = torch.nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.backbone_net.layers = torch.nn.ModuleList([TinyBlock(4), TinyBlock(4)])
        self.backbone_net.ln = torch.nn.LayerNorm(4)
        self.decoder = torch.nn.Sequential(
            torch.nn.Conv2d(4, 4, 1, bias=False), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.Conv2d(4, 2, 1)
        )
        self.auxiliary_decoder = torch.nn.Sequential(torch.nn.Conv2d(4, 2, 1))


def tiny_model(case: str, frozen=()) -> TinyModel:
    """TinyModel with `fill.fill` weights; parameters whose name starts with one of `frozen` need no grad;
    every other parameter has .grad = standard normal from ``grad:<case>/<name>``."""
    from .fill import fill

    model = TinyModel()
    fill(model)
    for name, p in model.named_parameters():
        if frozen and name.startswith(tuple(frozen)):
            p.requires_grad = False
        else:
            p.grad = torch.from_numpy(stream(f"grad:{case}/{name}").standard_normal(size=tuple(p.shape))).float()
    return model
