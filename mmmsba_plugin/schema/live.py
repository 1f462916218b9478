"""Updates about a live source."""

from pydantic import Field

from mmmsba_plugin.schema.base import FrozenModel, Modality, Probability, Seconds, TimeSpan, Words
from mmmsba_plugin.schema.report import Curves, FakeSegment, OptOut


class StreamUpdate(FrozenModel):
    """Update about a live source, of what has passed since the one before."""

    start_s: Seconds = Field(description="Where the update before was final up to, in seconds.")
    final_s: Seconds = Field(description="Up to where scores are final, in seconds.")
    end_s: Seconds = Field(description="Up to where the source was read, in seconds.")
    is_last: bool = Field(description="Whether the source has ended.")
    score: Probability | None = Field(
        description="Highest P(fake) so far among those that are final; null if there is none."
    )
    threshold: Probability = Field(description="P(fake) at or above which a segment is fake.")
    segments: tuple[FakeSegment, ...] = Field(
        default=(), description="Fake segments that have become final."
    )
    provisional: tuple[FakeSegment, ...] = Field(
        default=(), description="Fake segments that may still grow, shrink or vanish."
    )
    curves: Curves = Field(description="P(fake) along time, from the start to the end.")
    opt_outs: dict[Modality, tuple[OptOut, ...]] = Field(
        default_factory=dict, description="Segments that could not be evaluated, by modality."
    )
    dropped: tuple[TimeSpan, ...] = Field(
        default=(), description="Stretches that were lost, because detection fell behind."
    )
    warnings: tuple[Words, ...] = Field(
        default=(),
        description="Sentences about what was read, such as faces that were left out, and the "
        "caution of the weights.",
    )
