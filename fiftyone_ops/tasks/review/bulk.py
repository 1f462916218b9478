"""One decision about many samples, which is taken back as one.

From Python, without the App::

    from fiftyone_ops.tasks.review.bulk import decide_many

    bulk = decide_many(dataset, ids, action="accept", min_score=0.9)
    decide_many(dataset, ids, action="undo", batch=bulk.batch)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from bson import ObjectId

from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.review.document import whoami

from ...dataset import runs, store
from ...dataset.samples import Samples, batches, by_id, dataset_of
from .decide import retry, start_review
from .decision import Decision
from .decisions import SampleReview

_BATCH_SIZE: Final = 500


@dataclass(frozen=True, slots=True)
class BulkDecision:
    """Outcome of a decision about many samples.

    Attributes:
        batch: Name to undo it by.
        decided: Ids of the samples that it was taken about.
        left: Why each other one was left as it was, by its id.
    """

    batch: str
    decided: Sequence[str] = ()
    left: Mapping[str, str] = field(default_factory=dict)


def decide_many(
    samples: Samples,
    sample_ids: Sequence[str],
    *,
    label_field: str = "forgeries",
    by: str | None = None,
    **decision: Any,
) -> BulkDecision:
    """Take one decision about many samples; those that it cannot be taken about stay as they are.

    Args:
        samples: The dataset, or a view of it.
        sample_ids: The samples; those that were deleted are passed over.
        label_field: Field of the predictions.
        by: Who decides; whoever is logged in if not given.
        **decision: The fields of :class:`~fiftyone_ops.tasks.decision.Decision`, but ``label_id``.

    Raises:
        ConfigError: The decision makes no sense.
        TargetError: There are no predictions of ours in that field.
        FieldTakenError: The fields of the review are there, and no review made them.
        WriteError: The database does not take it; batches before that are decided.
    """
    parsed = Decision.read({"batch": str(ObjectId()), **decision})
    dataset = dataset_of(samples)
    start_review(dataset, label_field)
    fields, by = runs.fields_of_run(dataset, label_field), by or whoami()
    decided: list[str] = []
    left: dict[str, str] = {}
    for ids in batches(list(sample_ids), _BATCH_SIZE):
        columns: dict[str, dict[str, Any]] = {}
        for sample in by_id(dataset, ids):
            review = SampleReview(sample, fields, by)
            try:
                review.take(parsed)
            except MmmsbaError as error:
                left[sample.id] = str(error)
                continue
            decided.append(sample.id)
            for name, value in review.columns(fields).items():
                columns.setdefault(name, {})[sample.id] = value
        if columns:
            retry(dataset, partial(store.write, dataset, columns))
    return BulkDecision(str(parsed.batch), decided, left)
