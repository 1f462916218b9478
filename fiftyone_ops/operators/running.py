"""How an operator goes about a long run: in the App step by step, elsewhere in one go.

In the App, what an operator yields is shown as it comes, but an error in it vanishes together
with the dialog; so whatever can fail at once must fail before. From Python and in a delegated
run, what is yielded is dropped, and a plain result is kept.
"""

from collections.abc import Callable, Generator, Iterator, Sized
from contextlib import closing
from typing import Any, Protocol

from bson import ObjectId
from fiftyone.core.odm import get_db_conn

from mmmsba_plugin.errors import MmmsbaError

#: How often a delegated run asks whether it was called off, in steps.
_STEPS_A_LOOK = 2


class Run(Sized, Protocol):
    """A run of so many steps; of none where nobody knows beforehand."""

    def steps(self) -> Generator[Any, None, None]:
        """Take the steps one by one; each yields how far it has come."""


def in_app(ctx: Any) -> bool:
    """Return whether the App waits for what is yielded."""
    # It sends the sidebar's filters with each request, and nobody else does.
    return "filters" in ctx.request_params and not ctx.delegated


def streamed(ctx: Any, run: Run, *, said: Callable[[], str]) -> Iterator[Any]:
    """Yield what the App shows of a run.

    Args:
        ctx: What FiftyOne hands an operator.
        run: The run.
        said: Says at the end how it went.
    """
    try:
        # Closed at once where the App goes away, so that the run writes what it has.
        with closing(run.steps()) as steps:
            for done, step in enumerate(steps, start=1):
                yield ctx.ops.set_progress(progress=_share(done, run), label=str(step))
    except MmmsbaError as error:
        yield ctx.ops.notify(str(error), variant="error")
    else:
        yield ctx.ops.notify(said(), variant="success")
    yield ctx.ops.reload_dataset()


def in_one_go(ctx: Any, run: Run) -> None:
    """Take all steps of a run, unless it is delegated and called off meanwhile."""
    with closing(run.steps()) as steps:
        for done, step in enumerate(steps, start=1):
            ctx.set_progress(progress=_share(done, run), label=str(step))
            if done % _STEPS_A_LOOK == 0 and called_off(ctx):
                return


def called_off(ctx: Any) -> bool:
    """Return whether somebody marked a delegated run as failed, to end it."""
    run_id = getattr(ctx, "_delegated_operation_id", None)
    if run_id is None:
        return False
    found = get_db_conn().delegated_ops.find_one({"_id": ObjectId(run_id)}, {"run_state": 1})
    return found is not None and found.get("run_state") == "failed"


def _share(done: int, run: Run) -> float | None:
    """Return how much of a run is done; None of one whose length nobody knows."""
    return done / len(run) if len(run) else None
