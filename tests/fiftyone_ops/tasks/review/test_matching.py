"""Tests of the matching of decisions with predictions, by time."""

import doctest

import pytest

from fiftyone_ops.tasks.review import matching
from fiftyone_ops.tasks.review.matching import match


def predicted(start_s: float, end_s: float, label: str = "audio") -> dict:
    return {"label": label, "start_s": start_s, "end_s": end_s, "source": None}


def decided(start_s: float, end_s: float, label: str = "audio", **values) -> dict:
    return {**predicted(start_s, end_s, label), "source": "gone", **values}


def test_a_decision_that_names_a_prediction_is_about_it_whatever_the_time():
    decision = decided(5.0, 6.0, source="a")
    assert match({"a": predicted(0.0, 1.0)}, [], [decision]) == {"a": decision}


@pytest.mark.parametrize(("end_s", "num_matches"), [(2.0, 1), (2.01, 0)])
def test_half_of_the_time_in_common_is_needed(end_s, num_matches):
    decision = decided(0.0, 1.0)
    assert len(match({"a": predicted(0.0, end_s)}, [decision], [])) == num_matches


def test_each_decision_is_about_the_one_it_overlaps_most():
    predictions = {"worse": predicted(0.0, 1.5), "better": predicted(0.0, 1.1)}
    decision = decided(0.0, 1.0)
    assert match(predictions, [], [decision]) == {"better": decision}


def test_what_a_person_moved_is_known_by_what_was_predicted_and_by_what_it_became():
    moved = decided(0.0, 3.0, source_label="audio", source_start_s=0.0, source_end_s=1.0)
    assert match({"a": predicted(0.0, 1.0)}, [moved], []) == {"a": moved}
    assert match({"a": predicted(0.0, 2.9)}, [moved], []) == {"a": moved}


@pytest.mark.parametrize(
    ("label", "decision", "is_confirmed", "is_same"),
    [
        ("audio", {"label": "visual"}, False, False),
        ("audio", {"label": "visual"}, True, False),
        ("audio", {"label": "both"}, True, True),
        ("audio", {"label": "both"}, False, False),
        ("audio", {"label": "unknown"}, False, True),
        ("unknown", {"label": "audio"}, False, True),
        ("audio", {"label": "visual", "source_label": "audio"}, True, True),
    ],
)
def test_a_claim_about_another_modality_was_not_decided(label, decision, is_confirmed, is_same):
    decisions = [decided(0.0, 1.0, **decision)]
    confirmed, rejected = (decisions, []) if is_confirmed else ([], decisions)
    matched = match({"a": predicted(0.0, 1.0, label)}, confirmed, rejected)
    assert bool(matched) == is_same


def test_a_rejection_whose_time_is_not_known_is_about_its_prediction_alone():
    unknown = {"label": None, "start_s": None, "end_s": None, "source": "a"}
    assert match({"b": predicted(0.0, 1.0)}, [], [unknown]) == {}


def test_the_examples_in_docstrings_are_so():
    assert doctest.testmod(matching).failed == 0
