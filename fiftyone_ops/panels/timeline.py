"""The timeline panel, beside the player of a clip."""

from typing import Any, Final

import fiftyone.operators as foo

from ..clip import clip_of, pictures_of
from ..errors import TargetError
from ..labels import Fields
from .drawn import answers, drawn_by, fields_of

#: Where a corpus's truth lies.
TRUTH_FIELD: Final = "ground_truth"
#: Where a run writes that was given no other name.
_USUAL = Fields("forgeries")


class ForgeryTimeline(foo.Panel):
    """Scores, segments and corrections of one clip along time, in step with the player."""

    @property
    def config(self) -> Any:
        """What the App shows of it."""
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
            "MmmsbaTimelineView", load=self.load, pictures=self.pictures, decide=self.decide
        )

    @answers
    def load(self, ctx: Any) -> dict[str, Any]:
        """Return what is known of a clip along time."""
        return clip_of(_sample(ctx), fields_of(ctx) or _USUAL, truth_field=TRUTH_FIELD)

    @answers
    def pictures(self, ctx: Any) -> dict[str, Any]:
        """Return a picture of each segment."""
        fields = fields_of(ctx) or _USUAL
        return {"pictures": list(pictures_of(_sample(ctx), fields))}

    @answers
    def decide(self, ctx: Any) -> dict[str, Any]:
        return self.load(ctx)


def _sample(ctx: Any) -> Any:
    try:
        return ctx.dataset[ctx.params["sample_id"]]
    except KeyError as error:
        raise TargetError("this sample was deleted; close it, and reload the App") from error
