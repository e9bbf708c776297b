"""Writes docs/ModelZoo.md from the registries and the experiments: `python docs/model_zoo.py`."""

import inspect
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from ssseg import modules
from ssseg.modules.utils.configparser import experiments, load_config

PATH = Path(__file__).with_name("ModelZoo.md")
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


def generated() -> str:
    """Return what stands between the two markers."""
    configs = [load_config(path) for path in experiments().values()]
    parts = [
        "## Segmentors\n\n" + _table("Segmentor", Counter(cfg["type"] for cfg in configs)),
        "## Backbones\n\n" + _table("Backbone", Counter(cfg["backbone"]["type"] for cfg in configs)),
        "## Everything else that has a name\n\n",
        *(f"- **{title}**: {_names(kind)}\n" for kind, title in LISTED.items()),
    ]
    return "\n".join(parts[:2]) + "\n" + "".join(parts[2:])


def _table(kind: str, uses: Counter[str]) -> str:
    rows = [("name", "what it is", "source", "experiments"), ("---", "---", "---", "---:")]
    for name, part in _registered(kind):
        text = inspect.getdoc(part) or ""
        rows.append((f"`{name}`", text.partition("\n")[0], _source(text), str(uses[name])))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _source(text: str) -> str:
    """Return the first arXiv number, else the first link, of a docstring's `Paper:` or `Source:` part."""
    part = text[match.start() :] if (match := re.search(r"^(Papers?|Sources?):", text, re.M)) else ""
    if number := re.search(r"arXiv:([\w./-]*\w)", part):
        return f"[arXiv:{number[1]}](https://arxiv.org/abs/{number[1]})"
    link = re.search(r"https?://\S*\w", part)
    return f"<{link[0]}>" if link else ""


def _names(kind: str) -> str:
    return ", ".join(f"`{name}`" for name, _ in _registered(kind))


def _registered(kind: str) -> Iterable[tuple[str, object]]:
    return sorted(getattr(modules, f"{kind}Builder")().items())


def main() -> None:
    before, _, rest = PATH.read_text(encoding="utf-8").partition(START)
    after = rest.partition(END)[2]
    PATH.write_text(before + START + "\n" + generated() + "\n" + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
