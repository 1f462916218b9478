"""``fill_video_metadata``: what the App needs to know of a video, without ffprobe."""

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from .. import forms
from ..metadata import fill_metadata
from ..proxies import make_proxies
from ..settings import MetadataSettings


class FillVideoMetadata(foo.Operator):
    """Fills metadata without ffprobe, and makes copies of what no browser plays."""

    @property
    def config(self) -> Any:
        """What the App shows of it."""
        return foo.OperatorConfig(
            name="fill_video_metadata",
            label="Fill video metadata",
            description="Without ffprobe; tags videos that no browser plays, and can copy them",
            dynamic=True,
            disable_schema_validation=True,
            allow_immediate_execution=True,
            allow_delegated_execution=True,
        )

    def resolve_input(self, ctx: Any) -> Any:
        """Return the form."""
        inputs = types.Object()
        forms.ask_target(ctx, inputs)
        forms.ask(inputs, MetadataSettings)
        return types.Property(inputs, view=types.View(label="Fill video metadata"))

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Fill it in."""
        settings = forms.read(ctx.params, MetadataSettings)
        samples = forms.target_of(ctx)

        def tell(done: int, total: int) -> None:
            ctx.set_progress(progress=done / total, label=f"{done} of {total} videos")

        filled = fill_metadata(samples, overwrite=settings.overwrite, on_progress=tell)
        result = {
            "filled": filled.filled,
            "unplayable": dict(filled.unplayable),
            "unreadable": dict(filled.unreadable),
        }
        if settings.proxies:
            made = make_proxies(samples, settings.proxies_folder, on_progress=tell)
            result |= {"proxies": made.made, "without_proxy": dict(made.failed)}
        ctx.ops.reload_dataset()
        return result

    def __call__(self, samples: Any, *, delegate: bool = False, **settings: Any) -> Any:
        """Run it from Python.

        Args:
            samples: A data set or a view.
            delegate: Whether to leave it to ``fiftyone delegated launch``.
            **settings: Those of the form.
        """
        return foo.execute_operator(
            self.uri,
            {"view": samples.view()},
            params={"target": "view", **settings},
            request_delegation=delegate,
        )
