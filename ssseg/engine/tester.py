"""A test run: metrics of a checkpoint on the test set, or its predictions in the form a benchmark's server takes."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..modules import BuildLoggerHandle
from ..modules.datasets.pipelines import format_metrics, metrics_table
from ..modules.utils.distributed import barrier, ismainprocess
from ..modules.utils.files import touchdirs, write_atomically
from .agreement import require_agreement
from .build import build_dataset, load_segmentor
from .devices import Precision, choose_device, describe_device, set_up_backends
from .evaluator import confusion_matrix, label_dataset, metrics_of
from .heap import keep_freed_memory
from .memory import memory_errors
from .options import RuntimeOptions
from .processes import local_rank, process_group
from .runlog import plain_values


def evaluate_checkpoint(
    cfg: Any, *, ckptspath: str, device: str = "auto", ema: bool = False, eval_env: str = "local"
) -> dict[str, Any]:
    """Test a checkpoint, with the scales and flips of `SEGMENTOR_CFG['inference']['tta']`.

    Args:
        cfg: a `SEGMENTOR_CFG`.
        ckptspath: the checkpoint.
        device: "auto", "cpu" or "cuda".
        ema: test the averaged weights.
        eval_env: "local" computes metrics and writes `<work_dir>/test_results.json`; "server" writes label maps to
            `<work_dir>/inference_server_results`.

    Returns:
        The metrics of `SEGMENTOR_CFG['inference']['evaluate']['metric_list']`; empty for "server".
    """
    options = RuntimeOptions.of(cfg)
    chosen = choose_device(device, local_rank())
    with ExitStack() as stack:
        init_cfg = cfg.get("init_process_group_cfg")
        group = stack.enter_context(process_group(chosen, options.process_timeout, init_cfg))
        set_up_backends(cfg, options)
        if options.keep_memory and chosen.type == "cpu":
            keep_freed_memory()
        work_dir = Path(cfg["work_dir"])
        touchdirs(work_dir)
        logger = BuildLoggerHandle(cfg["logger_handle_cfg"])
        stack.callback(logger.close)
        logger.info(describe_device(chosen))
        cfg["dataset"].setdefault("test", {})["eval_env"] = eval_env
        dataset = build_dataset(cfg, "TEST", logger)
        require_agreement(cfg, {"the test set": dataset})
        segmentor, _ = load_segmentor(cfg, ckptspath, chosen, ema=ema)
        logger.info(f"{ckptspath}: {'averaged ' * ema}weights loaded; {len(dataset)} test samples")
        labelled = label_dataset(
            segmentor,
            dataset,
            cfg,
            device=chosen,
            autocast=Precision(cfg.get("fp16_cfg"), chosen).autocast,
            augmented=True,
            title="test",
        )
        labelled = group.each("testing", 0, labelled)
        stack.enter_context(memory_errors(cfg, chosen, f"testing {cfg['inference']['forward']['mode']} images"))
        if eval_env == "server":
            folder = work_dir / "inference_server_results"
            for sample, labels in labelled:
                dataset.formatresults([labels.numpy()], [sample["id"]], savedir=folder)
            barrier()
            logger.info(f"label maps for the benchmark's server: {folder}")
            return {}
        metrics = metrics_of(confusion_matrix(labelled, dataset.num_classes, dataset.ignore_index), cfg)
        logger.info(f"test of {ckptspath}\n{metrics_table(metrics, dataset.classnames)}")
        wanted = cfg["inference"]["evaluate"]["metric_list"]
        shown: dict[str, Any] = plain_values(format_metrics(metrics, wanted, dataset.classnames))
        if ismainprocess():
            text = json.dumps({"checkpoint": str(ckptspath), "ema": ema, **shown}, indent=1) + "\n"
            write_atomically(work_dir / "test_results.json", lambda stream: stream.write(text.encode()) and None)
        return shown
