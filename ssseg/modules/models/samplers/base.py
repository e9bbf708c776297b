"""What all pixel samplers share."""

from collections.abc import Mapping

from torch import Tensor


class BasePixelSampler:
    """A subclass writes `sample`; calling a sampler applies it to every prediction of a step."""

    def sample(self, seg_logits: Tensor, seg_targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the part of a prediction and its target that the loss shall see."""
        raise NotImplementedError(f"{type(self).__name__} does not write sample()")

    def __call__(
        self,
        predictions: Mapping[str, Tensor],
        annotations: Mapping[str, Tensor],
        preds_to_tgts_mapping: Mapping[str, str] | None = None,
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Sample each prediction with its own target.

        Args:
            predictions: name -> prediction.
            annotations: name -> target.
            preds_to_tgts_mapping: prediction -> annotation; "seg_targets" for all where it is None.

        Returns:
            name -> sampled prediction, and the annotations with one more entry for each prediction, of its name: the
            target of that prediction, where `calculatelosses` looks for it.
        """
        sampled, targets = {}, dict(annotations)
        for name, prediction in predictions.items():
            target = "seg_targets" if preds_to_tgts_mapping is None else preds_to_tgts_mapping[name]
            sampled[name], targets[name] = self.sample(prediction, annotations[target])
        return sampled, targets
