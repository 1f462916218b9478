"""Tests of statistics: counts by group, and the clips that each group leads to."""

import fiftyone as fo
import pytest

from fiftyone_ops.dataset.labels import Fields
from fiftyone_ops.panels.overview_data import narrowed
from fiftyone_ops.panels.statistics_data import grouping_fields, statistics_of

from ..asking import OVERVIEW, ask

FIELDS = Fields("forgeries")


@pytest.fixture
def stated(evaluated_with_truth):
    """Sources of the small videos, tags, and the ground truth, where the panel looks for it."""
    dataset = evaluated_with_truth
    sources = ["web", "web", "studio", "web", None, "studio", "studio"]
    dataset.set_values("source", sources)
    dataset.set_values("tags", [["old"], ["old", "new"], *[[]] * 5])
    dataset.rename_sample_field("truth", "ground_truth")
    return dataset


def test_clips_verdicts_hits_and_false_alarms_are_counted_by_group(stated):
    statistics = statistics_of(stated, FIELDS, by="source", truth_field="ground_truth")
    groups = {group.value: group.model_dump(exclude={"value"}) for group in statistics.groups}
    # forged-1 and -2 and genuine-2; genuine-1, one that raises, and one that is missing.
    assert groups == {
        "web": counts(3, 3, fake=2, true_fake=1, true_real=2, hits=1, alarms=1),
        "studio": counts(3, 1, fake=0, true_fake=1, true_real=0, hits=0, alarms=0),
        "not stated": counts(1, 0, fake=0, true_fake=0, true_real=0, hits=0, alarms=0),
    }


def counts(num_clips: int, num_evaluated: int, **rest: int) -> dict[str, int]:
    names = ("num_fake", "num_true_fake", "num_true_real", "true_positives", "false_positives")
    by_name = dict(zip(names, rest.values(), strict=True))
    return {"num_clips": num_clips, "num_evaluated": num_evaluated, **by_name}


@pytest.mark.parametrize("by", ["source", "tags"])
def test_a_group_leads_to_the_clips_that_it_counts(stated, by):
    for group in statistics_of(stated, FIELDS, by=by, truth_field="ground_truth").groups:
        clips = narrowed(stated, FIELDS, kind="group", value=group.value, by=by)
        assert len(clips) == group.num_clips


def test_a_clip_counts_in_each_of_its_tags(stated):
    statistics = statistics_of(stated, FIELDS, by="tags", truth_field="none")
    counted = {group.value: group.num_clips for group in statistics.groups}
    assert counted == {"old": 2, "new": 1, "not stated": 5}


def test_the_likeliest_field_is_first_and_what_differs_for_each_clip_is_none(stated):
    stated.add_sample_field("split", fo.StringField)
    stated.add_sample_field("camera", fo.StringField)
    stated.add_sample_field("key", fo.StringField)
    assert grouping_fields(stated) == ["source", "split", "tags", "camera"]


def test_the_panel_asks_for_a_field_and_makes_a_group_the_view(stated):
    statistics, _ = ask(OVERVIEW, "statistics", stated)
    assert (statistics["by"], statistics["fields"]) == ("source", ["source", "tags"])
    statistics, _ = ask(OVERVIEW, "statistics", stated, by="tags")
    assert statistics["by"] == "tags"
    _, requests = ask(OVERVIEW, "summary", stated, kind="group", by="tags", value="old")
    assert requests == ["set_view"]
