"""Silence audit: how well the silence that clips start with tells fake from real by itself."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from mmmsba_plugin.evaluation.metrics.bootstrap import Draw, Interval, bootstrap
from mmmsba_plugin.evaluation.metrics.detection import Labels, Ranking, Scores, check_scores
from mmmsba_plugin.evaluation.tables import GroundTruth

#: Leading silence that scores one half, in seconds. Any number ranks alike; the moments that
#: were reported are some tens of milliseconds long, and those are spread the most by this.
HALF_S = 0.03


def silence_scores(leading_s: ArrayLike) -> Scores:
    """Compute the scores of a detector that knows nothing but leading silence.

    Longer counts as more forged, because that is how it was found to be: fake clips begin
    with silence where real ones do not. Other datasets have it the other way round, as
    ASVspoof 2019 does, and betray themselves no less; :func:`leak_auc` covers both.

    Args:
        leading_s: Leading silence of each clip in seconds, as
            :func:`mmmsba_plugin.media.silence.leading_silence_s` measures it, shape
            ``(clip,)``; None or NaN where it is not known.

    Returns:
        Numbers in [0, 1] that rise with the silence, shape ``(clip,)``; NaN where it is not
        known. They rank clips and mean nothing more.

    Example:
        >>> silence_scores([0.0, 0.03, 0.27, None]).round(3).tolist()
        [0.0, 0.5, 0.9, nan]

    Source:
        Smeu et al., arXiv 2412.00175, on FakeAVCeleb and AV-Deepfake1M; Müller et al.,
        "Speech is Silver, Silence is Golden", 2021, arXiv 2106.12914, on ASVspoof.
    """
    lengths_s = np.maximum(np.array(leading_s, dtype=np.float64), 0.0)
    return lengths_s / (lengths_s + HALF_S)


def leak_auc(scores: ArrayLike, fake: Labels) -> float:
    """Compute the AUC of a cue that should not tell fake from real, in its better direction.

    It is the AUC, or one minus it if that is more: which of the two classes has the longer
    silence is no matter, since a detector learns either. One half is no leak, 1 a dataset that
    needs no detector. Clips without a score are left out.

    Because the better side is taken, chance lies above one half: of 20 forged and 20 real
    clips at about 0.57, of 200 and 200 at about 0.52. An interval never reaches below one
    half, so compare with that and not with one half.

    Args:
        scores: Anything in [0, 1] that ranks clips, such as :func:`silence_scores`, shape
            ``(clip,)``; NaN where there is none.
        fake: Whether each clip is fake, shape ``(clip,)``.

    Returns:
        A number in [0.5, 1]; NaN where the clips with a score are of one class.

    Raises:
        ScoreRangeError: A score lies outside [0, 1].
        ShapeError: There is not one label a score.

    Example:
        >>> leak_auc([0.9, 0.8, np.nan, 0.1], [False, False, True, True])
        1.0
    """
    values = np.asarray(scores, dtype=np.float64)
    is_number = ~np.isnan(values)
    _, labels = check_scores(np.where(is_number, values, 0.0), fake)
    area = Ranking.of(values[is_number], labels[is_number]).auc
    return max(area, 1.0 - area)


def silence_auc(
    silence_s: Mapping[str, float | None],
    ground_truth: GroundTruth,
    *,
    num_resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """Compute the AUC of leading silence alone.

    Args:
        silence_s: The silence that each clip starts with, in seconds, by key; None where there
            is no audio. Clips that were not listened to may be missing.
        ground_truth: What is true of the clips.
        num_resamples: How often clips are drawn anew for the interval.
        seed: Of the draws.

    Returns:
        The :func:`leak_auc` of :func:`silence_scores`; NaN where the clips that were listened
        to are of one class.
    """
    scores = silence_scores(ground_truth.column(silence_s))

    def of(draw: Draw) -> float:
        return leak_auc(scores[draw.clips], ground_truth.fake[draw.clips])

    draws = {"num_resamples": num_resamples, "seed": seed}
    return bootstrap({"auc": of}, clusters=ground_truth.clusters, **draws)["auc"]
