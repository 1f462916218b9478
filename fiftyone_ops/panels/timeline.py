"""The timeline panel, beside the player of a clip."""

from typing import Any, Final

import fiftyone.operators as foo

from ..dataset.labels import TRUTH_FIELD, Fields
from ..dataset.runs import fields_of_run, prediction_fields, review_stems
from ..dataset.samples import flattened, opened_video, shows_videos
from ..errors import TargetError
from ..responses import AudioTile, Clip, FieldChoice, Frames, SegmentDetails, Step
from ..tasks.review.decide import decide, retry
from ..tasks.review.decision import CLOSING
from ..tasks.review.queue import queue
from .audio_data import audio_tile
from .base import (
    ONE_AT_A_TIME,
    drawn_by,
    fields_of,
    has_verdict,
    respond,
    respond_beside,
)
from .segment_details import details_of, stored_report
from .timeline_data import clip_of, frames_of, other_run_of

#: Label field of a run that was given no other name.
_USUAL: Final = "forgeries"
#: How often a decision is looked for that other requests hide.
_READINGS: Final = 5


class ForgeryTimeline(foo.Panel):
    """Scores, segments and corrections of one clip along time, in step with the player."""

    @property
    def config(self) -> Any:
        """Configuration that the App shows."""
        return foo.PanelConfig(
            name="forgery_timeline",
            label="Forgery timeline",
            icon="timeline",
            surfaces="modal",
            help_markdown="Click the time line to go there. Each button names its key, and ? lists "
            "them all.",
        )

    def render(self, ctx: Any) -> Any:
        """Return the component that draws it."""
        return drawn_by(
            "MmmsbaTimelineView",
            load=self.load,
            frames=self.frames,
            audio=self.audio,
            details=self.details,
            decide=self.decide,
            reopen=self.reopen,
            step=self.step,
        )

    @respond
    def load(self, ctx: Any) -> Clip:
        """Return the timeline of a clip."""
        return _clip(ctx)

    @respond_beside
    def frames(self, ctx: Any) -> Frames:
        """Return a frame of each segment; decoding them holds nobody up."""
        with ONE_AT_A_TIME:
            frames = frames_of(_sample(ctx), _fields(ctx))
        return Frames(frames=tuple(frames))

    @respond_beside
    def audio(self, ctx: Any) -> AudioTile:
        """Return a tile of the clip's audio; decoding it holds nobody up."""
        with ONE_AT_A_TIME:
            path = _sample(ctx).filepath
        return audio_tile(path, ctx.params["tile_s"], ctx.params["number"])

    @respond_beside
    def details(self, ctx: Any) -> SegmentDetails:
        """Return excerpts of a segment; decoding them holds nobody up."""
        with ONE_AT_A_TIME:
            report = stored_report(_sample(ctx), _fields(ctx))
        return details_of(report, ctx.params["start_s"], ctx.params["end_s"])

    @respond
    def decide(self, ctx: Any) -> Clip:
        """Take a person's decision about a clip, and return its state then."""
        fields, decision = _fields(ctx), ctx.params["decision"]
        # Before the decision, which may take the clip out of the queue.
        following = None
        if decision["action"] in CLOSING:
            following = retry(ctx.dataset, lambda: _neighbour(ctx, fields))
        decide(
            ctx.dataset,
            _sample(ctx).id,
            label_field=fields.segments,
            by=ctx.user_id,
            **decision,
        )
        if following is not None:
            ctx.ops.open_sample(id=following)
        return _decided_clip(ctx)

    @respond
    def reopen(self, ctx: Any) -> None:
        """Take back the decision that ended the review of a clip, and open that clip."""
        sample, fields = _sample(ctx), _fields(ctx)
        document = sample[fields.review]
        history = document.history if document else []
        if not history or history[-1]["action"] not in CLOSING:
            raise TargetError("this clip was decided about since; open it, and undo there")
        decide(ctx.dataset, sample.id, label_field=fields.segments, by=ctx.user_id, action="undo")
        ctx.ops.open_sample(id=ctx.params["sample_id"])

    @respond
    def step(self, ctx: Any) -> Step:
        """Open a clip that is named, or the one before or after, of the queue or of the view."""
        to = ctx.params.get("to")
        to = to or _neighbour(ctx, _fields(ctx), by=ctx.params["by"])
        if to is not None:
            ctx.ops.open_sample(id=to)
        return Step(sample_id=to)


def _clip(ctx: Any) -> Clip:
    sample, runs, beside = _sample(ctx), prediction_fields(ctx.dataset), ctx.params.get("beside")
    clip = clip_of(sample, _fields(ctx), truth_field=TRUTH_FIELD)
    choices = [FieldChoice(name=run, is_evaluated=has_verdict(sample, run)) for run in runs]
    other = None
    if beside in runs and beside != clip.field:
        other = other_run_of(sample, fields_of_run(ctx.dataset, beside))
    # Of a view of clips, the App knows a sample by the id of the clip.
    opened = {"sample_id": ctx.params["sample_id"]}
    return clip.model_copy(update={**opened, "fields": tuple(choices), "beside": other})


def _decided_clip(ctx: Any) -> Clip:
    """Return a clip that was just decided about.

    Requests share one object for a dataset; one that read it before the first decision added the
    fields of a review may take them away again.
    """
    clip = _clip(ctx)
    for _ in range(_READINGS):
        if clip.review is not None:
            break
        ctx.dataset.reload()
        clip = _clip(ctx)
    return clip


def _fields(ctx: Any) -> Fields:
    """Return the fields of a run; of the review alone, where no predictions are left."""
    stem = next(iter(review_stems(ctx.dataset)), _USUAL)
    return fields_of(ctx, _sample(ctx)) or fields_of_run(ctx.dataset, stem)


def _neighbour(ctx: Any, fields: Fields, *, by: int = 1) -> str | None:
    """Return the next clip or the one before: of the queue that one came along, or of the view.

    The end of a queue is followed by its start, for what was passed over. A view of clips or groups
    is gone through as it is.
    """
    here, reason = ctx.params["sample_id"], ctx.params.get("reason")
    if not shows_videos(ctx.view):
        ids = ctx.view.values("id")
    elif reason:
        where = {"label_field": fields.segments, "truth_field": TRUTH_FIELD}
        ids = queue(ctx.view, reason, **where).values("id")
        if here not in ids:
            return ids[0] if ids and by > 0 else None
        to: str = ids[(ids.index(here) + by) % len(ids)]
        return None if to == here else to
    else:
        ids = flattened(ctx.view).values("id")
    at = ids.index(here) + by if here in ids else -1
    return ids[at] if 0 <= at < len(ids) else None


def _sample(ctx: Any) -> Any:
    return opened_video(ctx.view, ctx.params["sample_id"])
