"""Writes what is registered into README.md and docs/ModelZoo.md: `python docs/model_zoo.py`."""

import inspect
import re
from collections import Counter
from pathlib import Path

from ssseg import modules
from ssseg.configs._base_ import SegmentorConfig
from ssseg.modules.utils.configparser import experiments, load_config

DOCS = Path(__file__).parent
PROCEEDINGS = {  # of papers that are not on arXiv
    "APCNet": "CVPR_2019/papers/He_Adaptive_Pyramid_Context_Network_for_Semantic_Segmentation_CVPR_2019_paper.pdf",
    "DMNet": "ICCV_2019/papers/He_Dynamic_Multi-Scale_Filters_for_Semantic_Segmentation_ICCV_2019_paper.pdf",
    "PSANet": "ECCV_2018/papers/Hengshuang_Zhao_PSANet_Point-wise_Spatial_ECCV_2018_paper.pdf",
}
START, END = "<!-- from here on written by docs/model_zoo.py -->\n", "<!-- to here -->\n"
LISTED = {
    "Dataset": "Data sets",
    "DataTransform": "Transforms",
    "Loss": "Losses",
    "PixelSampler": "Pixel samplers",
    "Scheduler": "Schedulers",
    "Optimizer": "Optimizers",
    "ParamsConstructor": "Parameter constructors",
    "Normalization": "Normalizations",
    "Activation": "Activations",
    "Dropout": "Dropouts",
}


def pages() -> dict[Path, str]:
    """Return the text of each page as it should be; what stands outside of the markers stays."""
    parts = {DOCS.parent / "README.md": _summary(), DOCS / "ModelZoo.md": _tables()}
    return {path: _between_markers(path.read_text(encoding="utf-8"), part) for path, part in parts.items()}


def _between_markers(text: str, part: str) -> str:
    before, _, rest = text.partition(START)
    return f"{before}{START}\n{part}\n{END}{rest.partition(END)[2]}"


def _summary() -> str:
    kinds = {"Segmentor": "Segmentors", "Backbone": "Backbones", "Dataset": "Data sets", "Loss": "Losses"}
    rows = "".join(f"| {title} | {_names(kind)} |\n" for kind, title in kinds.items())
    configs = _configs()
    usable = sum(all(name in known for name, known in zip(_parts(cfg), _known(), strict=True)) for cfg in configs)
    return f"| | |\n| --- | --- |\n{rows}| Experiments | {len(configs)} configs; {usable} need only the parts above |\n"


def _configs() -> list[SegmentorConfig]:
    return [load_config(path) for path in experiments().values()]


def _parts(cfg: SegmentorConfig) -> tuple[str, str, str]:
    return cfg["type"], cfg["backbone"]["type"], cfg["dataset"]["type"]


def _known() -> list[set[str]]:
    return [{name for name, _ in _registered(kind)} for kind in ("Segmentor", "Backbone", "Dataset")]


def _tables() -> str:
    segmentors, backbones, _ = map(Counter, zip(*map(_parts, _configs()), strict=True))
    parts = [
        "## Segmentors\n\n" + _table("Segmentor", segmentors),
        "## Backbones\n\n" + _table("Backbone", backbones),
        "## Everything else that has a name\n\n",
        *(f"- **{title}**: {_names(kind)}\n" for kind, title in LISTED.items()),
    ]
    return "\n".join(parts[:2]) + "\n" + "".join(parts[2:])


def _table(kind: str, uses: Counter[str]) -> str:
    rows = [("name", "what it is", "paper", "experiments"), ("---", "---", "---", "---:")]
    for name, part in _registered(kind):
        text = inspect.getdoc(part) or ""
        rows.append((f"`{name}`", text.partition("\n")[0], _source(name, text), str(uses[name])))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _source(name: str, text: str) -> str:
    """Return a link to the first paper, else page, of a docstring's `Paper:` or `Source:` part."""
    part = text[match.start() :] if (match := re.search(r"^(Papers?|Sources?):", text, re.M)) else ""
    if number := re.search(r"arXiv:([\w./-]*\w)", part):
        return f"[arXiv:{number[1]}](https://arxiv.org/abs/{number[1]})"
    if place := PROCEEDINGS.get(name):
        return f"[{place.partition('/')[0].replace('_', ' ')}](https://openaccess.thecvf.com/content_{place})"
    if number := re.search(r"doi:(10\.\S*\w)", part):
        return f"[doi:{number[1]}](https://doi.org/{number[1]})"
    link = re.search(r"https?://\S*\w", part)
    return f"<{link[0]}>" if link else ""


def _names(kind: str) -> str:
    return ", ".join(f"`{name}`" for name, _ in _registered(kind))


def _registered(kind: str) -> list[tuple[str, object]]:
    return sorted(getattr(modules, f"{kind}Builder")().items())


if __name__ == "__main__":
    for page, content in pages().items():
        page.write_text(content, encoding="utf-8")
