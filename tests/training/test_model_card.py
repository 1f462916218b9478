"""The card that travels with weights says what they are, and what they are not."""

import pytest

from mmmsba_plugin.config import (
    Calibration,
    ModelConfig,
)
from mmmsba_plugin.localization.calibrate import apply
from mmmsba_plugin.model.checkpoint import CheckpointConfig
from mmmsba_plugin.schema import ScoreThreshold
from mmmsba_plugin.training.model_card import write_card


class TestCard:
    def card(self, *, num_real=40, **settings) -> str:
        config = CheckpointConfig(
            members=[ModelConfig(dims={"audio": 1})],
            training={
                "preset": "paper",
                "seed": 0,
                "epochs": 3,
                "num_train": 9,
                "num_validation": 160,
                "num_validation_real": num_real,
            },
            metrics={
                "validation": {
                    "clip_true_positive_rate@0.05": 0.75,
                    "clip_false_positive_rate@0.05": 1 / 40,
                }
            },
            **settings,
        )
        return " ".join(write_card(config).split())

    def test_a_threshold_is_shown_as_in_reports_with_its_interval(self):
        curve = Calibration(method="temperature", temperature=0.5, shift=1.0)
        line = ScoreThreshold(value=0.4, false_positive_rate=0.05)
        card = self.card(score_thresholds=(line,), score_threshold=line, calibration=curve)
        probability = f"{apply(curve, 0.4):.3f}"
        assert f"| 5 % | {probability} | 1 of 40 | 0.4 % to 12.9 % | 75 % |" in card
        assert f"{probability} unless another threshold is asked for" in card
        assert "chosen for a false-positive rate of 5 %." in card
        assert "takes clips for independent, which those of one identity are not" in card

    def test_a_threshold_that_is_left_out_says_what_it_would_take(self):
        card = self.card(score_thresholds=(ScoreThreshold(value=0.4, false_positive_rate=0.05),))
        assert "no threshold for 1 %: it takes 100 real validation clips to see one in 100" in card
        assert "and there were 40." in card
        assert "no threshold for 5 %" not in card

    def test_a_threshold_that_could_not_be_kept_to_says_so(self):
        card = self.card(num_real=100)
        assert "no threshold for 1 %: more of the 100 real validation clips than that have" in card

    def test_a_probability_says_what_it_was_fitted_to(self):
        curve = Calibration(method="temperature", temperature=0.25, shift=1.5)
        card = self.card(calibration=curve)
        assert "by `(log-odds + 1.500) / 0.250` of the network's own score" in card
        assert "each of the 160 validation clips. Of those 75 % are fake" in card
        assert "in-sample, measured on the clips that the curve was fitted to" in card

    def test_an_isotonic_curve_says_how_much_it_holds(self):
        curve = Calibration(method="isotonic", scores=(0.1, 0.2), probabilities=(0.1, 0.7))
        assert "an isotonic curve of 2 blocks over the network's" in self.card(calibration=curve)

    @pytest.mark.parametrize("reason", ["", "all clips are fake"])
    def test_without_a_curve_none_is_called_a_probability(self, reason):
        card = self.card(calibration=Calibration(reason=reason))
        why = f": {reason}" if reason else ""
        assert f"Scores are not calibrated{why}. A higher one is more suspicious" in card

    def test_it_says_what_differs_from_the_paper_and_what_that_leaves_open(self):
        card = self.card()
        assert "Nothing differs from the preset `paper`." in card
        assert "| Alpha and gamma of the focal loss (`train.loss`) | 0.25 and 2 |" in card
