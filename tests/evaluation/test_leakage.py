"""Real and fake files must not be told apart without a look at what they show."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from mmmsba_plugin import plugins
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.evaluation.cues import cues_of
from mmmsba_plugin.evaluation.leakage import (
    chance_auc,
    fit_ridge_logistic,
    held_out_scores,
    leak_report,
)
from mmmsba_plugin.forge.dataset import forge_dataset
from mmmsba_plugin.forge.talking_head.clips import make_talking_head_dataset
from mmmsba_plugin.record import Record
from mmmsba_plugin.segment import Segment

from .test_cues import noisy_clip

#: What may be seen by chance in so few files: the standard error of an AUC of one half is
#: 0.053 on 60 and 60 files, and this is three of them away.
_BOUND = 0.65


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Forgeries of every kind there is, of twelve voices, as many as real files."""
    folder = tmp_path_factory.mktemp("leak")
    make_talking_head_dataset(folder / "genuine", num_clips=20, seconds=1.6, seed=5, size_px=128)
    offers = [offer.name for offer in plugins.entries("forgers") if offer.state == "ok"]
    forge_dataset(
        folder / "genuine",
        folder / "forged",
        per_clip=3,
        real_per_clip=3,
        seed=0,
        forgers=[plugins.lookup("forgers", name) for name in offers],
    )
    return list(read_lavdf(folder / "forged"))


@pytest.fixture(scope="module")
def report(dataset):
    return leak_report(dataset, num_resamples=300, num_deals=100)


def test_a_fake_dataset_does_not_give_itself_away(dataset, report):
    assert report.num_files == len(dataset) >= 110
    assert not report.leaks, report
    assert report.together.low <= 0.5
    assert report.together.value < _BOUND
    # Were this near one, nothing would ever be found.
    assert 0.55 < report.by_chance < 0.7


def test_no_single_cue_tells_fake_from_real(report):
    for name, cue in report.cues.items():
        assert abs(cue.value - 0.5) < _BOUND - 0.5, (name, cue)


def test_trees_do_not_find_more_than_lines(dataset):
    rows = [cues_of(record.media) for record in dataset]
    names = sorted({name for row in rows for name in row})
    table = np.array([[row.get(name, np.nan) for name in names] for row in rows])
    fake = np.array([record.fake for record in dataset])
    identities = np.array([record.identity for record in dataset])
    probabilities = cross_val_predict(
        HistGradientBoostingClassifier(max_iter=40, min_samples_leaf=8, random_state=0),
        table,
        fake,
        groups=identities,
        cv=GroupKFold(5),
        method="predict_proba",
    )[:, 1]
    assert roc_auc_score(fake, probabilities) < _BOUND


def test_real_files_are_as_many_and_as_long_as_fake_ones(dataset):
    lengths_s = {
        fake: np.array([r.duration_s for r in dataset if r.fake is fake]) for fake in (False, True)
    }
    assert lengths_s[True].size == lengths_s[False].size
    assert lengths_s[True].mean() == pytest.approx(lengths_s[False].mean(), abs=0.05)


# --- the test itself can see ----------------------------------------------------------------


def records_with(folder, crf_of_fake):
    rng = np.random.default_rng(0)
    return [
        Record(
            noisy_clip(folder / f"{identity}{n}.mp4", rng, crf=crf_of_fake if n % 2 else 23),
            truth=(Segment(0.1, 0.3),) if n % 2 else (),
            identity=identity,
        )
        for identity in "abcdef"
        for n in range(4)
    ]


def test_another_encoder_setting_for_fake_files_is_found(tmp_path):
    positions = []
    leakage = leak_report(
        records_with(tmp_path, 26), num_resamples=100, num_deals=100, on_clip=positions.append
    )
    assert positions == list(range(24))
    assert leakage.leaks
    assert leakage.together.value > 0.95
    assert "bytes_per_s" in leakage.tells
    assert "leading_silence_s" not in leakage.tells


def random_cues(seed, *, leak, num=240, num_cues=6):
    rng = np.random.default_rng(seed)
    fake = np.arange(num) % 2 == 0
    table = rng.standard_normal((num, num_cues))
    table[:, 0] += leak * fake
    return table, fake, [f"p{i // 12}" for i in range(num)]


@given(seed=st.integers(0, 1000))
@settings(max_examples=15)
def test_cues_that_tell_nothing_are_guessed_at(seed):
    table, fake, identities = random_cues(seed, leak=0.0)
    assert abs(roc_auc_score(fake, held_out_scores(table, fake, identities)) - 0.5) < 0.16


def test_a_cue_that_tells_is_used_for_identities_it_was_not_learned_from():
    table, fake, identities = random_cues(0, leak=2.0)
    # Two normals two spreads apart are told with an AUC of 0.92.
    scores = held_out_scores(table, fake, identities)
    assert roc_auc_score(fake, scores) == pytest.approx(0.92, abs=0.04)


def test_chance_seldom_looks_like_a_leak():
    num_leaks = 0
    for seed in range(6):
        table, fake, identities = random_cues(seed, leak=0.0, num=60, num_cues=3)
        value = roc_auc_score(fake, held_out_scores(table, fake, identities))
        num_leaks += value > chance_auc(table, fake, identities, num_deals=60, seed=0)
    # One in a hundred is expected; more than one in six would be one in a thousand.
    assert num_leaks <= 1


def test_a_cue_of_the_identity_alone_tells_nothing_of_other_identities():
    # A cue that names the person and nothing else: useful only to whoever has met him.
    rng = np.random.default_rng(0)
    identities = np.repeat(np.arange(40), 6)
    fake = rng.random(240) < np.repeat(rng.random(40), 6)
    table = np.eye(40)[identities]
    scores = held_out_scores(table, fake, [str(p) for p in identities])
    assert abs(roc_auc_score(fake, scores) - 0.5) < 0.1


def test_the_regression_is_that_of_scikit_learn():
    table, fake, _ = random_cues(1, leak=1.0)
    cues = np.column_stack([table, np.ones(len(table))])
    theirs = LogisticRegression(C=1 / 3.0, tol=1e-10).fit(table, fake)
    np.testing.assert_allclose(fit_ridge_logistic(cues, fake)[:-1], theirs.coef_[0], atol=1e-4)
    assert fit_ridge_logistic(cues, fake)[-1] == pytest.approx(theirs.intercept_[0], abs=1e-4)


def test_cues_that_are_missing_or_the_same_for_all_do_no_harm():
    table, fake, identities = random_cues(2, leak=2.0)
    table[:, 1], table[:, 2], table[::3, 0] = np.nan, 7.0, np.nan
    assert roc_auc_score(fake, held_out_scores(table, fake, identities)) > 0.75


@pytest.mark.parametrize(
    "identities", [["ann"] * 8, ["ann"] * 4 + ["bob"] * 4], ids=["one person", "a class each"]
)
def test_too_few_identities_are_an_error_that_says_so(identities):
    fake = np.array([True] * 4 + [False] * 4)
    with pytest.raises(DatasetError, match="clips of two people or more"):
        held_out_scores(np.ones((8, 2)), fake, identities)
