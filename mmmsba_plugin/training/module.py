"""One step of learning, as Lightning asks for it."""

from collections.abc import Mapping

import lightning
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torchmetrics.classification import BinaryAccuracy, BinaryAUROC

from mmmsba_plugin.config import TrainConfig
from mmmsba_plugin.model.heads import Losses, MovingAverage, count_fake, total_loss
from mmmsba_plugin.model.mmmsba import MmmsBa, NetworkOutput
from mmmsba_plugin.model.tree import Tree, tree_map
from mmmsba_plugin.schema import ALTERED_BY_MODALITY
from mmmsba_plugin.training.data import Batch


class Learner(lightning.LightningModule):
    """Trains a network with the losses of its heads.

    With modality dropout, now and then a modality of a clip is hidden, so that a silent or
    faceless clip is evaluated by what is left. With labels of what is present, what is then
    taught is the truth of what is still shown: a network that only hears must not be told that a
    fake frame sounds forged. The paper has neither.
    """

    def __init__(self, network: MmmsBa, config: TrainConfig) -> None:
        super().__init__()
        self.network = network
        self.config = config
        self.val_snippet_auc = BinaryAUROC()
        self.val_accuracy = BinaryAccuracy()
        self.num_fake_average = MovingAverage()

    def training_step(self, batch: Batch, _index: int) -> Tensor:
        """Return the loss of a batch of cropped clips, with modalities hidden at random."""
        if self.config.max_snippets is not None:
            batch = crop_clips(batch, self.config.max_snippets)
        present = hide_modalities(self._read(batch.present), self.config.modality_dropout)
        targets = self._targets(batch, present)
        divisor = None
        if self.config.loss.normaliser == "fake-average":
            divisor = self.num_fake_average(count_fake(targets, batch.mask))
        output = self.predict(batch, present)
        losses = total_loss(output.heads, targets, batch.mask, self.config.loss, divisor=divisor)
        self._log_losses("train", losses, batch)
        return losses.total

    def validation_step(self, batch: Batch, _index: int) -> None:
        """Log the loss of one batch with everything shown, and how well snippets are told apart."""
        present = self._read(batch.present)
        output = self.predict(batch, present)
        targets = self._targets(batch, present)
        losses = total_loss(output.heads, targets, batch.mask, self.config.loss)
        self._log_losses("val", losses, batch)
        # The trial run before the first epoch may see clips of one class alone.
        if not self.trainer.sanity_checking:
            # A network that diverged tells nothing apart; of NaN, the metric makes any number.
            scores = output.scores[batch.mask].nan_to_num(0.0)
            labels = targets["classify"]["labels"][batch.mask]
            for name in ("val_snippet_auc", "val_accuracy"):
                metric = getattr(self, name)
                metric.update(scores, labels)
                self.log(name, metric, on_epoch=True)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return Adam whose learning rate decays exponentially (paper section 4.2)."""
        adam = torch.optim.AdamW(
            self.network.parameters(),
            lr=self.config.learning_rate,
            weight_decay=self.config.weight_decay,
        )
        decay = torch.optim.lr_scheduler.ExponentialLR(adam, gamma=self.config.decay)
        return {"optimizer": adam, "lr_scheduler": {"scheduler": decay, "interval": "epoch"}}

    def _log_losses(self, stage: str, losses: Losses, batch: Batch) -> None:
        by_head = {f"{stage}_{name}": loss for name, loss in losses.by_head.items()}
        size = len(batch.mask)
        self.log_dict(by_head, batch_size=size, on_step=False, on_epoch=True)
        self.log(
            f"{stage}_loss",
            losses.total,
            batch_size=size,
            on_step=False,
            on_epoch=True,
            prog_bar=True,
        )

    def predict(self, batch: Batch, present: Mapping[str, Tensor]) -> NetworkOutput:
        """Return the outputs of the network for a batch of which some modalities are shown."""
        output: NetworkOutput = self.network(batch.inputs, batch.mask, present=present)
        return output

    def _read(self, present: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the presence of the modalities that the network reads."""
        return {name: present[name] for name in self.network.modalities}

    def _targets(self, batch: Batch, present: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
        """Return the targets of a batch of which some modalities are shown."""
        if self.config.labels_of == "clip":
            return batch.targets["all"]
        return choose(view_of(present), batch.targets)  # type: ignore[no-any-return]


def crop_clips(batch: Batch, longest: int) -> Batch:
    """Crop the clips of a batch to at most ``longest`` snippets.

    Where a long clip is cut is drawn anew each time, so that it is seen in full over the
    epochs, and short clips are not padded to its length.
    """
    lengths = batch.mask.sum(dim=1)
    latest = (lengths - longest).clamp(min=0)
    # Drawn on the CPU, so that a run is the same on any device.
    shares = torch.rand(len(lengths)).to(lengths.device)
    starts = (shares * (latest + 1)).long()
    length = min(longest, batch.mask.shape[1])
    places = starts[:, None] + torch.arange(length, device=lengths.device)
    clips = torch.arange(len(lengths), device=lengths.device)[:, None]
    return Batch(**tree_map(lambda values: values[clips, places], batch._asdict()))


def hide_modalities(present: Mapping[str, Tensor], probability: float) -> dict[str, Tensor]:
    """Return presence with whole modalities of single clips hidden at random.

    A clip never loses the last modality that it has.

    Args:
        present: For each modality, shape ``(batch, snippet)``.
        probability: How often a modality of a clip is hidden.
    """
    names = list(present)
    has = torch.stack([present[name].any(dim=1) for name in names])
    keep = torch.rand(has.shape, device=has.device) >= probability
    nothing_left = ~(has & keep).any(dim=0)
    keep |= nothing_left
    return {name: present[name] & keep[i][:, None] for i, name in enumerate(names)}


def view_of(present: Mapping[str, Tensor]) -> Tensor:
    """Return the view whose ground truth each clip is trained on, as an index into ``VIEWS``.

    Args:
        present: For each modality, shape ``(batch, snippet)``.

    Returns:
        Shape ``(batch,)``: 1 if only audio is shown, 2 if only frames are, else 0.
    """
    is_fake = {"audio": torch.tensor(False), "visual": torch.tensor(False)}  # noqa: FBT003
    for name, there in present.items():
        some = there.any(dim=1)
        altered = ALTERED_BY_MODALITY.get(name)
        for kind in (altered,) if altered else tuple(is_fake):
            is_fake[kind] = is_fake[kind].to(some.device) | some
    audio_only = is_fake["audio"] & ~is_fake["visual"]
    visual_only = is_fake["visual"] & ~is_fake["audio"]
    return audio_only.long() + 2 * visual_only.long()


def choose(view: Tensor, by_view: Mapping[str, Tree]) -> Tree:
    """Return for each clip the targets of its view.

    Args:
        view: Index of each clip's view, shape ``(batch,)``.
        by_view: For each view, a tensor of shape ``(batch, …)`` or nested dictionaries of them.

    Returns:
        What there is for one view.
    """
    clips = torch.arange(len(view), device=view.device)
    return tree_map(lambda *views: torch.stack(views)[view, clips], *by_view.values())
