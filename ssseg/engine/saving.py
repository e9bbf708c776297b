"""Writes the checkpoints of a run."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..modules import saveckpts
from ..modules.utils.checkpoint import keep_last
from ..modules.utils.distributed import barrier, ismainprocess
from ..modules.utils.errors import CheckpointError, ResourceError
from .hostcopy import on_host
from .options import RuntimeOptions
from .runlog import RunLog
from .state import TrainState, plain_dict


class _Writing(threading.Thread):
    """Writes a checkpoint, when run or started; `error` is what kept it from that.

    A process that leaves at once does not wait for it; the file is then not there, as after a kill.
    """

    def __init__(self, write: Callable[[], None], checkpoint: str, position: tuple[int, int]):
        super().__init__(name="ssseg saving", daemon=True)
        self.write, self.checkpoint, self.position = write, checkpoint, position
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.write()
        except Exception as error:
            self.error = error


class Saver:
    """Writes checkpoints in the main process and deletes those that are not kept.

    With `SEGMENTOR_CFG['runtime']['async_save']` a thread does that while training goes on; what it writes is a copy in
    the host's memory. One file is written at a time, and what became of it shows at the next save, or at the end.

    Args:
        cfg: `SEGMENTOR_CFG`, which each checkpoint holds.
        label_map: of the training set, as JSON holds it; likewise.
        work_dir: of the run.
        log, logger: are told of each.
    """

    def __init__(self, cfg: Mapping[str, Any], label_map: Any, work_dir: Path, log: RunLog, logger: Any):
        self.options = RuntimeOptions.of(cfg)
        self.config, self.label_map = plain_dict(cfg), label_map
        self.work_dir, self.log, self.logger = work_dir, log, logger
        self.writing: _Writing | None = None

    def save(self, state: TrainState, name: str, *, link: bool = True, must: bool = False) -> None:
        """Write `state` to the file `name`; the other processes wait.

        Args:
            link: let `checkpoints-epoch-latest.pth` lead to it.
            must: wait until it is written, and fail where it cannot be, whatever
                `SEGMENTOR_CFG['runtime']['on_save_error']` says.

        Raises:
            ResourceError: it, or the one before it, cannot be written. CheckpointError: it does not read back.
        """
        if ismainprocess():
            self.finish()
            entries = state.state_dict()
            entries["ssseg"] |= {"config": self.config, "label_map": self.label_map}
            at_once = must or not self.options.async_save
            kept = entries if at_once else on_host(entries)
            position = (state.epoch, state.iteration)
            self.writing = _Writing(lambda: self._write(kept, position, name, link), name, position)
            if at_once:
                self.writing.run()
                self.finish(must=must)
            else:
                self.writing.start()
        barrier()

    def finish(self, *, must: bool = False) -> None:
        """Wait for what is being written.

        Raises:
            ResourceError, CheckpointError: as `save`.
        """
        writing, self.writing = self.writing, None
        if writing is None:
            return
        if writing.ident is not None:
            writing.join()
        if (error := writing.error) is None:
            return
        if not isinstance(error, ResourceError | CheckpointError) or must or self.options.on_save_error == "raise":
            raise error
        self.logger.warning(f"{error}. The run goes on without this checkpoint.")
        self.log.write("event", *writing.position, message="not saved", checkpoint=writing.checkpoint)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Wait for what is being written, unless the user leaves at once; a failure does not hide another error."""
        if kind is None:
            self.finish()
        elif issubclass(kind, Exception):
            try:
                self.finish(must=True)
            except Exception as failure:
                self.logger.warning(f"{failure}")

    def _write(self, entries: Mapping[str, Any], position: tuple[int, int], name: str, link: bool) -> None:
        saveckpts(entries, self.work_dir / name, make_soft_link=link)
        if self.options.keep_last:
            keep_last(self.work_dir, self.options.keep_last)
        self.log.write("event", *position, message="saved", checkpoint=name)
