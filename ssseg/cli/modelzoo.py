"""What has been published for the experiments of the package, and choosing among them by it."""

import json
import re
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ..modules.utils.configfiles import configs_folder
from ..modules.utils.errors import ConfigError, listed, nearest

FIELDS = ("method", "backbone", "dataset", "schedule", "miou", "checkpoint")
Row = dict[str, Any]


def published() -> dict[str, Row]:
    """Return name -> `FIELDS` and, in percent, all `metrics`; `miou` is None where there is only Dice, or nothing."""
    table = json.loads((configs_folder() / "modelzoo.json").read_text(encoding="utf-8"))
    rows = {}
    for name, row in table["experiments"].items():
        main, value = next(iter(row["metrics"].items()), ("", None))
        miou = value if main.startswith("mIoU") else None
        rows[name] = {**row, "miou": miou, "checkpoint": table["checkpoints"] + row["checkpoint"]}
    return rows


def configured(name: str) -> Row:
    """Return `FIELDS` as the config itself has them, for an experiment of which nothing has been published."""
    from ..modules.utils.configparser import load_config

    cfg = load_config(name)
    schedule, backbone, dataset = cfg["scheduler"], cfg["backbone"], cfg["dataset"]
    kind = dataset["type"].removesuffix("Dataset")
    policy = schedule["type"].removesuffix("Scheduler").lower()
    batch = cfg["dataloader"]["expected_total_train_bs_for_assert"]
    return {
        "method": cfg["type"],
        "backbone": backbone.get("structure_type", backbone["type"]),
        "dataset": Path(dataset["rootdir"]).name if kind == "Folder" else kind,  # a plain folder has no other name
        "schedule": f"{schedule['optimizer']['lr']}/{policy}/{batch}/{schedule['max_epochs']}",
        "miou": None,
        "checkpoint": None,
    }


def parse_filter(text: str) -> Callable[[Row], bool]:
    """Return the test that `FIELD=PATTERN`, `miou>=NUMBER` or `miou<=NUMBER` asks for.

    Raises:
        ConfigError: it is none of these.
    """
    where = f"--filter {text}"
    match = re.fullmatch(r"(\w+)\s*(>=|<=|=)\s*(.+)", text)
    if not match:
        raise ConfigError(f"{where}: must be FIELD=PATTERN, miou>=NUMBER or miou<=NUMBER")
    field, sign, value = match.groups()
    if field not in FIELDS:
        raise ConfigError(f"{where}: there is no field {field!r}.{nearest(field, FIELDS)} There are {listed(FIELDS)}.")
    if sign == "=":
        return lambda row: fnmatch(str(row[field]).lower(), value.lower())
    if field != "miou":
        raise ConfigError(f"{where}: {field} is no number; compare it with =")
    try:
        limit = float(value)
    except ValueError as error:
        raise ConfigError(f"{where}: {value!r} is no number") from error
    side = 1 if sign == ">=" else -1
    return lambda row: row["miou"] is not None and side * row["miou"] >= side * limit
