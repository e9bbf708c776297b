"""What users of other toolboxes type, and what it is called here."""

_BATCH = "dataloader.expected_total_train_bs_for_assert=N"
_COMMANDS = {
    **dict.fromkeys(("eval", "evaluate", "val", "validate"), "ssseg test"),
    **dict.fromkeys(("inference", "predict", "segment"), "ssseg infer"),
    "resume": "ssseg train CONFIG --ckptspath FILE",
    "prepare": "ssseg data prepare",
    "convert": "ssseg ckpt convert",
    "env": "ssseg doctor",
}
_OPTIONS = {
    **dict.fromkeys(("config", "config-file", "cfg", "c"), "CONFIG without an option before it"),
    **dict.fromkeys(("cfg-options", "opts", "options", "override"), "a.b.c=value without an option before it"),
    **dict.fromkeys(("checkpoint", "ckpt", "load-from", "resume", "resume-from", "weights"), "--ckptspath FILE"),
    **dict.fromkeys(("batch", "batch-size", "bs"), f"the override {_BATCH}"),
    **dict.fromkeys(("epochs", "max-epochs"), "the override scheduler.max_epochs=N"),
    **dict.fromkeys(("lr", "learning-rate"), "the override scheduler.optimizer.lr=X"),
    **dict.fromkeys(("num-workers", "workers"), "the override dataloader.train.num_workers_per_gpu=N"),
    **dict.fromkeys(("amp", "bf16", "fp16"), "the override fp16_cfg=\"{'type': 'pytorch'}\""),
    **dict.fromkeys(("output-dir", "work-dir"), "the override work_dir=DIR"),
    **dict.fromkeys(("image", "input", "source"), "--imagepath FILE or --imagedir DIR"),
    **dict.fromkeys(("out", "output", "save-dir", "show-dir"), "--outputdir DIR"),
    **dict.fromkeys(("gpu", "gpu-id", "gpus"), "--device cuda:N; several GPUs: scripts/dist_train.sh"),
    "data-root": "the override dataset.rootdir=DIR",
    "num-classes": "the override num_classes=N",
    "seed": "the override runtime.seed=N",
}


def in_our_words(typed: str) -> str | None:
    """Return what a command or an option of another toolbox is called here, None where it is not known."""
    word = typed.partition("=")[0]
    if word.startswith("-"):
        return _OPTIONS.get(word.lstrip("-").replace("_", "-"))
    return _COMMANDS.get(word)
