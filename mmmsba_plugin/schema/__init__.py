"""The report of one clip: its parts, their units and their JSON Schema.

A report is frozen, knows no key it was not made for, and states its own version.
``Report.model_json_schema()`` is the published JSON Schema.
"""

from mmmsba_plugin.schema.base import (
    ALTERED_BY_MODALITY,
    FrozenModel,
    ManipulatedModality,
    Modality,
    Probability,
    Rate,
    Score,
    Seconds,
    TimeSpan,
    Words,
)
from mmmsba_plugin.schema.live import StreamUpdate
from mmmsba_plugin.schema.media import AudioStream, Edit, FileTraces, Media, VideoStream
from mmmsba_plugin.schema.report import (
    SCHEMA_VERSION,
    AudioTrackReport,
    Curves,
    FaceTrackReport,
    FakeSegment,
    ModalityReport,
    OptOut,
    Problem,
    Proposal,
    Provenance,
    Report,
    ScoreThreshold,
    SegmentAttention,
    Status,
    Threshold,
    Windows,
)

__all__ = [
    "ALTERED_BY_MODALITY",
    "SCHEMA_VERSION",
    "AudioStream",
    "AudioTrackReport",
    "Curves",
    "Edit",
    "FaceTrackReport",
    "FakeSegment",
    "FileTraces",
    "FrozenModel",
    "ManipulatedModality",
    "Media",
    "Modality",
    "ModalityReport",
    "OptOut",
    "Probability",
    "Problem",
    "Proposal",
    "Provenance",
    "Rate",
    "Report",
    "Score",
    "ScoreThreshold",
    "Seconds",
    "SegmentAttention",
    "Status",
    "StreamUpdate",
    "Threshold",
    "TimeSpan",
    "VideoStream",
    "Windows",
    "Words",
]
