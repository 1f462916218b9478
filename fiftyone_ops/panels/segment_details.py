"""Details of one segment: mouths, audio and scores, for whoever asks why it was called fake.

They are those of the report's page, of the stored predictions: the network does not run again.
"""

from typing import TYPE_CHECKING, Any

from mmmsba_plugin.schema import FakeSegment, Report
from mmmsba_plugin.timebase import clock

from .. import responses
from ..dataset import reports, store
from ..dataset.labels import Fields
from ..errors import TargetError
from ..responses import Mouth, SegmentDetails

if TYPE_CHECKING:
    from mmmsba_plugin.report.excerpts import Excerpt


def stored_report(sample: Any, fields: Fields) -> Report:
    """Return the report that the labels of a sample were made from.

    Args:
        sample: A video sample.
        fields: Fields of a run.

    Raises:
        TargetError: The run did not evaluate it.
    """
    values = {
        name: sample[path] if sample.has_field(path) else None
        for name, path in reports.report_paths(fields).items()
    }
    if values["verdict"] is None:
        raise TargetError("this clip was not evaluated, so nothing is known of its segments")
    makers = store.makers_of(sample.dataset, fields)
    always = {"filepath": sample.filepath, "metadata": sample.metadata}
    return reports.report_of({**values, **always}, makers.get(values["verdict"].made_by, {}))


def details_of(report: Report, start_s: float, end_s: float) -> SegmentDetails:
    """Read excerpts of a segment, and of a part of the clip that is not flagged.

    Args:
        report: The report on the clip.
        start_s: Start of the segment, in seconds.
        end_s: End of it, in seconds.

    Raises:
        MmmsbaError: The file cannot be read.
    """
    from mmmsba_plugin.media.probe import probe
    from mmmsba_plugin.report.excerpts import ExcerptReader

    media = probe(report.media.path, with_hash=False)
    reader = ExcerptReader(report.model_copy(update={"media": media}))
    excerpts = reader.read(FakeSegment(start_s=start_s, end_s=end_s, score=report.score or 0.0))
    return SegmentDetails(
        segment=_response(excerpts.segment),
        comparison=excerpts.comparison and _response(excerpts.comparison),
    )


def _response(excerpt: "Excerpt") -> responses.Excerpt:
    return responses.Excerpt(
        start_s=excerpt.span.start_s,
        end_s=excerpt.span.end_s,
        scores=excerpt.probabilities,
        mouths=tuple(
            Mouth(src=mouth.image, caption=clock(mouth.time_s), is_within=mouth.is_within)
            for mouth in excerpt.mouths
        ),
        spectrogram=excerpt.spectrogram,
        left=excerpt.left,
        width=excerpt.width,
    )
