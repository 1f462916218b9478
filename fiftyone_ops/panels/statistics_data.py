"""Counts of clips by what a dataset states of them, such as source, identity, split or generator.

A clip with several tags counts in each of them.
"""

from collections.abc import Sequence
from typing import Any, Final

import fiftyone as fo
import numpy as np
from fiftyone import ViewField
from numpy.typing import NDArray

from ..dataset.labels import Fields, verdict_words
from ..dataset.metadata import PLAYABLE_PATH
from ..dataset.samples import Samples, dataset_of, flattened
from ..responses import GroupCounts, Statistics
from ..tasks.threshold_table import truth_labels

#: Fields that tell groups of clips apart, where a dataset has them, in the order of preference.
_USUAL: Final = ("source", "generator", "kind", "identity", "split", "language", "tags")
#: Fields that are of another value for each clip.
_OF_ONE_CLIP: Final = ("filepath", "key", PLAYABLE_PATH)
#: The group of clips of which a dataset states nothing.
NOT_STATED: Final = "not stated"
#: A longer table is no overview.
MAX_GROUPS: Final = 100


def statistics_of(
    samples: Samples, fields: Fields, *, by: str | None, truth_field: str
) -> Statistics:
    """Count clips, verdicts, hits and false alarms in each group of clips.

    Args:
        samples: A dataset or a view that has those fields.
        fields: Fields of a run.
        by: Field whose values make the groups; the likeliest one if not given.
        truth_field: Field of the ground truth; an empty one says real, one that is not set nothing.
    """
    videos = flattened(samples)
    choices = grouping_fields(dataset_of(samples))
    by = by if by in choices else choices[0]
    # Tags are lists; of any other field a clip has one value, or none.
    values = [value if isinstance(value, list) else [value] for value in videos.values(by)]
    stated = [[name for name in names if name] or [NOT_STATED] for names in values]
    clips = np.repeat(np.arange(len(stated)), [len(names) for names in stated])
    names, group_of = np.unique([name for names in stated for name in names], return_inverse=True)
    labels = np.array(videos.values(f"{fields.verdict}.label"), dtype=object)
    scores = np.array(videos.values(f"{fields.verdict}.confidence"), dtype=np.float64)
    has_score, is_flagged = ~np.isnan(scores), np.isin(labels, verdict_words("fake"))
    truth = truth_labels(videos, truth_field)

    def count(is_counted: NDArray[np.bool_]) -> list[int]:
        counts: list[int] = np.bincount(group_of[is_counted[clips]], minlength=names.size).tolist()
        return counts

    columns = {
        "num_clips": count(np.ones(len(stated), dtype=bool)),
        "num_evaluated": count(has_score),
        "num_fake": count(has_score & is_flagged),
        "num_true_fake": count(has_score & (truth == 1)),
        "num_true_real": count(has_score & (truth == 0)),
        "true_positives": count(has_score & is_flagged & (truth == 1)),
        "false_positives": count(has_score & is_flagged & (truth == 0)),
    }
    groups = [
        GroupCounts(value=str(name), **dict(zip(columns, counts, strict=True)))
        for name, *counts in zip(names, *columns.values(), strict=True)
    ]
    groups.sort(key=lambda group: -group.num_clips)
    return Statistics(
        by=by,
        fields=tuple(choices),
        groups=tuple(groups[:MAX_GROUPS]),
        num_left=max(0, len(groups) - MAX_GROUPS),
    )


def grouping_fields(dataset: Any) -> Sequence[str]:
    """List the fields of words that clips can be grouped by, the likeliest first; tags always."""
    schema = dataset.get_field_schema(ftype=fo.StringField)
    words = [name for name in schema if name not in _OF_ONE_CLIP]
    usual = [name for name in _USUAL if name in (*words, "tags")]
    return [*usual, *sorted(set(words) - set(usual))]


def in_group(videos: Samples, by: str, value: str) -> Samples:
    """Return the videos of one group.

    Args:
        videos: What was counted.
        by: Field whose values make the groups.
        value: The value, or :data:`NOT_STATED`.
    """
    field = ViewField(by)
    is_list = by == "tags"
    if value == NOT_STATED:
        # In the database's order, what is absent comes before all words.
        return videos.match(~(field.length() > 0 if is_list else field > ""))
    return videos.match(field.contains(value) if is_list else field == value)
