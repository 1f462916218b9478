"""The timeline panel, beside the player of a clip."""

from typing import Any, Final

import fiftyone.operators as foo

from ..errors import TargetError
from ..labels import Fields
from ..responses import Clip, Frames
from ..samples import flattened, require_video
from ..tasks import review
from ..tasks.review_queue import queue
from .base import TRUTH_FIELD, drawn_by, fields_of, respond
from .timeline_data import clip_of, frames_of

#: Fields of a run that was given no other name.
_USUAL: Final = Fields("forgeries")


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
            help_markdown="Click the time line to go there. Each button names its key.",
        )

    def render(self, ctx: Any) -> Any:
        """Return the component that draws it."""
        return drawn_by(
            "MmmsbaTimelineView", load=self.load, frames=self.frames, decide=self.decide
        )

    @respond
    def load(self, ctx: Any) -> Clip:
        """Return the timeline of a clip."""
        return _clip(ctx)

    @respond
    def frames(self, ctx: Any) -> Frames:
        """Return a frame of each segment."""
        return Frames(frames=tuple(frames_of(_sample(ctx), fields_of(ctx) or _USUAL)))

    @respond
    def decide(self, ctx: Any) -> Clip:
        """Take a person's decision about a clip, and return its state then."""
        fields, decision = fields_of(ctx) or _USUAL, ctx.params["decision"]
        review.decide(
            ctx.dataset,
            ctx.params["sample_id"],
            label_field=fields.segments,
            by=ctx.user_id,
            **decision,
        )
        if decision["action"] == "finish":
            _open_next(ctx, fields)
        return _clip(ctx)


def _clip(ctx: Any) -> Clip:
    return clip_of(_sample(ctx), fields_of(ctx) or _USUAL, truth_field=TRUTH_FIELD)


def _open_next(ctx: Any, fields: Fields) -> None:
    """Open the next clip: of the queue that one came along, or else of the view."""
    here, reason = ctx.params["sample_id"], ctx.params.get("reason")
    if reason:
        where = {"label_field": fields.segments, "truth_field": TRUTH_FIELD}
        ids = queue(ctx.view, reason, **where).limit(2).values("id")
    else:
        ids = flattened(ctx.view).values("id")
        ids = ids[ids.index(here) + 1 :] if here in ids else []
    if behind := [sample_id for sample_id in ids if sample_id != here]:
        ctx.ops.open_sample(id=behind[0])


def _sample(ctx: Any) -> Any:
    try:
        sample = ctx.dataset[ctx.params["sample_id"]]
    except KeyError as error:
        raise TargetError("this sample was deleted; close it, and reload the App") from error
    require_video(sample)
    return sample
