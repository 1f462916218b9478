"""One item of a corpus."""

from dataclasses import dataclass, field
from pathlib import Path

from mmmsba_plugin.segment import Segment


@dataclass(frozen=True, slots=True)
class Record:
    """One clip and what is known about it.

    Attributes:
        media: The clip's file.
        truth: Forged stretches, in time order and joined over modalities; empty if genuine.
        split: ``train``, ``dev`` or ``test`` (a corpus may use words of its own).
        identity: Who is seen; None if the corpus does not say.
        audio_truth: The stretches whose sound was altered; None if not told apart.
        visual_truth: The stretches whose picture was altered; None if not told apart.
        original: Name of the genuine clip it was made from, if any.
        kind: How it was made, in the corpus's words: ``real``, ``splice``, ….
        key: What the corpus calls it; reports and predictions are matched by it.
        extra: Anything else the corpus says, by its own keys.
    """

    media: Path
    truth: tuple[Segment, ...] = ()
    split: str | None = None
    identity: str | None = None
    audio_truth: tuple[Segment, ...] | None = None
    visual_truth: tuple[Segment, ...] | None = None
    original: str | None = None
    kind: str | None = None
    key: str = ""
    extra: dict[str, object] = field(default_factory=dict, compare=False)

    @property
    def forged(self) -> bool:
        """Whether any stretch is forged."""
        return bool(self.truth)
