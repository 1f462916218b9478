"""A detector is a classifier to scikit-learn's own tools."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.metrics import get_scorer, roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.utils.validation import check_is_fitted

from mmmsba_plugin import plugins
from mmmsba_plugin.adapters.scikit_learn import ClipClassifier
from mmmsba_plugin.errors import MediaUnreadableError, PluginNotFoundError
from mmmsba_plugin.hookspecs import DetectorEntry, hookimpl


@pytest.fixture
def classifier(detector) -> ClipClassifier:
    """A classifier by the quick detector, which a plug-in offers."""
    entry = DetectorEntry(
        name="halves", summary="Quick.", modalities=("face",), load=lambda folder: detector
    )
    plugin = SimpleNamespace(forensics_detectors=hookimpl(lambda: [entry]))
    plugins.forget()
    plugins.manager().register(plugin, name="halves")
    yield ClipClassifier("halves")
    plugins.forget()


def test_columns_are_real_and_fake_and_missing_where_not_evaluated(classifier, clips):
    probs = classifier.predict_proba([clips / f"{name}.mp4" for name in ("fake", "real", "dark")])
    assert classifier.classes_.tolist() == [0, 1]
    assert probs[:2].sum(axis=1) == pytest.approx(1)
    assert probs[0, 1] > 0.5 > probs[1, 1]
    assert np.isnan(probs[2]).all()


def test_labels_are_by_the_threshold_of_the_detector(classifier, detector, clips):
    paths = [str(clips / "fake.mp4"), str(clips / "real.mp4")]
    assert classifier.predict(np.array(paths)).tolist() == [1, 0]
    classifier.fit().detector_ = detector.with_threshold(0.01)
    assert classifier.predict(paths).tolist() == [1, 1]


def test_there_is_no_label_where_nothing_was_evaluated(classifier, clips):
    with pytest.raises(MediaUnreadableError, match=r"no label for .*dark\.mp4: .*predict_proba"):
        classifier.predict([clips / "dark.mp4"])


def test_it_is_a_classifier_that_is_trained_and_can_be_cloned(classifier):
    assert is_classifier(classifier)
    check_is_fitted(classifier)
    assert clone(classifier).get_params() == {"detector": "halves", "checkpoint": None}


def test_a_changed_parameter_loads_another_detector(classifier, clips):
    classifier.predict([clips / "real.mp4"])
    with pytest.raises(PluginNotFoundError, match="no detector is called 'others'"):
        classifier.set_params(detector="others").predict([clips / "real.mp4"])


def test_tools_measure_it_with_fake_as_the_positive_class(classifier, clips):
    paths, is_fake = [clips / "fake.mp4", clips / "real.mp4"] * 2, [1, 0] * 2
    assert roc_auc_score(is_fake, classifier.predict_proba(paths)[:, 1]) == 1
    assert get_scorer("roc_auc")(classifier, paths, is_fake) == 1
    assert get_scorer("recall")(classifier, paths, is_fake) == 1
    assert cross_val_predict(classifier, paths, is_fake, cv=2).tolist() == is_fake
