"""Keeps count of the training samples that are skipped, and of those that teach nothing."""

from typing import Any

from ..modules.datasets.trainsamples import skip_budget
from ..modules.utils.distributed import gather_objects
from ..modules.utils.errors import DataError, listed
from .runlog import RunLog

UNLABELLED_SHARE = 0.1  # of an epoch's samples; more than that is hardly meant


class DataWatch:
    """Lists in the logs which training samples could not be used, and stops the run where they are too many.

    Counting starts anew when a run goes on: a sample is counted when it is met.

    Args:
        dataset: of mode TRAIN; its `bad_samples` is the budget.
        logger: the logger handle of the text log. log: the machine-readable one.
    """

    def __init__(self, dataset: Any, logger: Any, log: RunLog):
        self.budget, self.logger, self.log = skip_budget(dataset), logger, log
        self.skipped: dict[str, None] = {}  # messages, each once, in the order of their first appearance
        self.told = 0
        self.read = self.unlabelled = 0

    def take(self, batch: dict[str, Any]) -> None:
        """Take what a batch says of its samples out of it.

        Raises:
            DataError: more different samples were skipped than the budget allows.
        """
        messages, unlabelled = batch.pop("skipped", ()), batch.pop("unlabelled", 0)
        self.read += len(batch["images"])
        self.unlabelled += unlabelled
        for message in messages:
            if message not in self.skipped:
                self.skipped[message] = None
                self.logger.warning(f"skipped: {message}", main_process_only=False)
        self._require_budget()

    def end_epoch(self, epoch: int, iteration: int) -> None:
        """Sum up what all processes met, and log it.

        Raises:
            DataError: together they skipped more samples than the budget allows.
        """
        parts = gather_objects((list(self.skipped), self.read, self.unlabelled))
        self.skipped |= dict.fromkeys(message for messages, _, _ in parts for message in messages)
        read, unlabelled = (sum(part[position] for part in parts) for position in (1, 2))
        self.read = self.unlabelled = 0
        if len(self.skipped) > self.told:
            self.told = len(self.skipped)
            self.logger.warning(f"{self.told} of {self.budget} training samples that may be skipped were skipped")
            self.log.write("event", epoch, iteration, message="skipped", count=self.told, samples=list(self.skipped))
        if unlabelled:
            share = f"{unlabelled} of {read} training samples of epoch {epoch} had ignored pixels only"
            self.log.write("event", epoch, iteration, message="unlabelled", count=unlabelled, of=read)
            if unlabelled > UNLABELLED_SHARE * read:
                self.logger.warning(
                    f"{share}; they teach nothing. `ssseg data check` names label maps without labels; crops without "
                    "any are rarer with one_category_max_ratio of RandomCrop."
                )
        self._require_budget()

    def _require_budget(self) -> None:
        if self.budget is not None and len(self.skipped) > self.budget:
            raise DataError(
                f"{len(self.skipped)} training samples cannot be used, more than the {self.budget} of "
                f"SEGMENTOR_CFG['dataset']['bad_samples']: {listed(self.skipped, limit=5)}"
            )
