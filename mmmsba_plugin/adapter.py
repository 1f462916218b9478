"""Adapts a detector of frames, windows or whole clips, so that it says where a clip is fake.

All that such a detector needs is a function from a file to scores with their times. Its scores
are put on a grid, and what follows is that of our own detector: segments by two thresholds,
ranked proposals, calibration and thresholds for stated false-positive rates, and the same report,
so that writers, ``mmmsba evaluate`` and FiftyOne need know nothing of it.

Example:
    A detector of single frames; ``mmmsba docs toolkit`` shows how a plug-in offers it::

        def score(path):
            probs = my_network(frames_of(path))
            return {"face": TimedScores.of_frames(probs, fps_hz=25)}

        detector = AdaptedDetector("mine", score, ("face",)).calibrated(records)
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from mmmsba_plugin.config import CalibrationMethod, OperatingPointConfig
from mmmsba_plugin.errors import (
    FeatureError,
    MediaUnreadableError,
    MmmsbaError,
    RunCancelledError,
    ScoreRangeError,
    TrainingError,
)
from mmmsba_plugin.features.walk import NO_AUDIO_STREAM
from mmmsba_plugin.hookspecs import API_VERSION, DetectorInfo
from mmmsba_plugin.localization.binarize import localize
from mmmsba_plugin.localization.calibrate import lowest_score
from mmmsba_plugin.localization.proposals import clipped, ranked_proposals, run_spans, runs_of
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.model.targets import fake_labels
from mmmsba_plugin.plugins import announce, with_ignored_options
from mmmsba_plugin.record import Record
from mmmsba_plugin.report import build
from mmmsba_plugin.schema import (
    ALTERED_BY_MODALITY,
    Media,
    OptOut,
    Provenance,
    Report,
    ScoreThreshold,
)
from mmmsba_plugin.segment import Spans
from mmmsba_plugin.structures import ClipFeatures
from mmmsba_plugin.timebase import Grid

NO_SCORE = "no score"

#: As :data:`mmmsba_plugin.training.thresholds.TOGETHER`, which must not be imported for it:
#: detection with a stranger's detector needs no PyTorch.
TOGETHER = "all"

Scores = NDArray[np.float64]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class TimedScores:
    """Scores of a detector, each with the span of time that it is of.

    Attributes:
        spans: Start and end of each, in seconds from the clip's zero, shape ``(score, 2)``; they
            may overlap.
        scores: P(fake) or any other number in [0, 1] that rises with suspicion, shape ``(score,)``.

    Raises:
        FeatureError: There is not one span a score, or one ends before it starts.
        ScoreRangeError: A score lies outside [0, 1].
    """

    spans: Spans
    scores: Scores

    def __post_init__(self) -> None:
        spans = np.asarray(self.spans, dtype=np.float64).reshape(-1, 2)
        scores = np.asarray(self.scores, dtype=np.float64)
        if scores.shape != (len(spans),) or not (spans[:, 1] > spans[:, 0]).all():
            raise FeatureError(
                f"each score needs a span that ends after it starts, got {len(spans)} spans and "
                f"scores of shape {scores.shape}"
            )
        if not ((scores >= 0) & (scores <= 1)).all():
            raise ScoreRangeError("scores must lie in [0, 1]; pass logits through a sigmoid first")
        object.__setattr__(self, "spans", spans)
        object.__setattr__(self, "scores", scores)

    @classmethod
    def of_frames(cls, scores: ArrayLike, *, fps_hz: float, start_s: float = 0.0) -> Self:
        """Return one score a frame.

        Args:
            scores: Shape ``(frame,)``.
            fps_hz: Frames per second.
            start_s: Time of the first frame, in seconds from the clip's zero.
        """
        return cls.of_windows(scores, length_s=1 / fps_hz, hop_s=1 / fps_hz, start_s=start_s)

    @classmethod
    def of_windows(
        cls, scores: ArrayLike, *, length_s: float, hop_s: float, start_s: float = 0.0
    ) -> Self:
        """Return one score a window.

        Args:
            scores: Shape ``(window,)``.
            length_s: Length of a window, in seconds.
            hop_s: Time from one window to the next, in seconds.
            start_s: Start of the first one, in seconds from the clip's zero.
        """
        values = np.asarray(scores, dtype=np.float64)
        starts_s = start_s + hop_s * np.arange(len(values))
        return cls(np.stack([starts_s, starts_s + length_s], axis=1), values)

    def on_grid(self, grid: Grid, num_snippets: int) -> Scores:
        """Return the score of each snippet: the mean of those of its time, weighted by overlap.

        Returns:
            Shape ``(snippet,)``; NaN where there is no score.
        """
        totals, weights = np.zeros((2, num_snippets))
        for (start_s, end_s), score in zip(self.spans.tolist(), self.scores.tolist(), strict=True):
            cells = grid.overlapping(start_s, end_s)
            for index in range(max(0, cells.start), min(num_snippets, cells.stop)):
                cell_start_s, cell_end_s = grid.cell(index)
                shared_s = min(end_s, cell_end_s) - max(start_s, cell_start_s)
                totals[index] += shared_s * score
                weights[index] += shared_s
        with np.errstate(invalid="ignore"):
            means: Scores = np.where(weights > 0, totals / weights, np.nan)
        return means


class AdapterConfig(OperatingPointConfig):
    """Length of a snippet, thresholds and calibration of an adapted detector."""

    stride_s: float = Field(default=0.08, gt=0, description="Length of a snippet, in seconds.")


#: Scores of a file, by the modality that was looked at.
ScoreClip = Callable[[Path], Mapping[str, TimedScores]]


class AdaptedDetector:
    """A detector of segments, made of any detector that scores frames, windows or clips.

    Where several modalities are scored, each snippet counts by the most suspicious one.

    Args:
        name: What reports call it.
        score: Scores a file, by modality; called with its path. An error of ours says why a file
            cannot be read, any other is reported as a fault.
        modalities: Modalities that it evaluates: ``face``, ``lips``, ``audio`` or others.
        config: Thresholds and calibration; see :meth:`calibrated`.
        summary: One line for a person.
        reach_s: How far the score of a snippet depends on what comes before and after it, in
            seconds, if that is known. A window of a second that counts for all of its snippets
            reaches a second.
    """

    def __init__(
        self,
        name: str,
        score: ScoreClip,
        modalities: Sequence[str],
        *,
        config: AdapterConfig | None = None,
        summary: str = "",
        reach_s: float | None = None,
    ) -> None:
        self.name, self.config = name, config or AdapterConfig()
        self._score, self._modalities, self._summary = score, tuple(modalities), summary
        self._reach_s = reach_s

    @property
    def info(self) -> DetectorInfo:
        """Name, summary, modalities, rates that there is a threshold for, and settings."""
        info: DetectorInfo = {
            "name": self.name,
            "summary": self._summary,
            "modalities": list(self._modalities),
            "false_positive_rates": list(self.config.false_positive_rates),
            "announces_reports": True,
            "config": self.config.model_dump(mode="json"),
        }
        if self._reach_s is not None:
            info["reach_s"] = self._reach_s
        return info

    def detect(
        self,
        media: str | Path,
        *,
        command: str | None = None,
        duration_s: float | None = None,
        **options: Any,
    ) -> Report:
        """Detect fake segments in one clip; see :class:`mmmsba_plugin.hookspecs.Detector`."""
        del duration_s  # of files alone, which say so themselves
        provenance = build.stamped(self._provenance, command=command)
        media_info = build.unread(media)
        try:
            media_info = probe(media)
            report = self._report(media_info, provenance)
        except RunCancelledError:
            raise
        except MmmsbaError as error:
            report = build.failed(media_info, error, provenance=provenance)
        # A stranger's detector can raise anything, and the other clips must not be lost for it.
        except Exception as error:  # noqa: BLE001 - see above
            _log.exception("detection in %s failed unexpectedly", media)
            report = build.failed(media_info, error, provenance=provenance)
        return announce(with_ignored_options(report, options))

    def detect_many(self, media: Iterable[str | Path], **options: Any) -> Iterator[Report]:
        """Detect in clips one after the other; one that fails does not stop the rest."""
        return (self.detect(path, **options) for path in media)

    def predict(self, media: str | Path) -> float:
        """Return P(fake) of one clip, in [0, 1].

        Raises:
            MediaUnreadableError: The clip could not be evaluated; the message says why.
        """
        report = self.detect(media)
        if report.score is None:
            raise MediaUnreadableError(report.problem.message if report.problem else str(media))
        return report.score

    def with_threshold(self, probability: float) -> "AdaptedDetector":
        """Return this detector with another threshold, a probability, of clips and segments."""
        value = lowest_score(self.config.calibration, probability)
        return self._with(self.config.at_threshold(ScoreThreshold(value=value)))

    def at_false_positive_rate(self, rate: float) -> "AdaptedDetector":
        """Return this detector with the threshold for a rate.

        Raises:
            ConfigError: There is none for that rate.
        """
        return self._with(self.config.at_false_positive_rate(rate))

    def calibrated(
        self,
        records: Iterable[Record],
        *,
        calibration: CalibrationMethod = "temperature",
        false_positive_rate: float = 0.1,
    ) -> "AdaptedDetector":
        """Return this detector with thresholds and calibration chosen on clips.

        They are chosen as for our own detector, by
        :func:`mmmsba_plugin.training.thresholds.operating_point_of`. Its ``config`` can be stored
        as JSON and given to a new one.

        Args:
            records: Real and fake clips that it was not trained on. Those that cannot be read or
                have no score are left out.
            calibration: Method of calibration.
            false_positive_rate: Share of real clips that may be called fake.

        Raises:
            TrainingError: There are not both real and fake clips.
        """
        from mmmsba_plugin.training.data import ground_truth
        from mmmsba_plugin.training.thresholds import operating_point_of

        highest: list[float] = []
        is_fake: list[bool] = []
        rows: dict[str, list[tuple[Scores, NDArray[np.int64]]]] = {}
        for record in records:
            features, curves = self._curves_of(record)
            if TOGETHER not in curves or np.isnan(curves[TOGETHER]).all():
                continue
            highest.append(float(np.nanmax(curves[TOGETHER])))
            is_fake.append(record.fake)
            truth = ground_truth(record.lasting(features.end_s))
            for name, scores in curves.items():
                view = truth[ALTERED_BY_MODALITY.get(name, "all")]
                labels = fake_labels(view, features.grid, features.num_snippets)
                has_score = ~np.isnan(scores)
                rows.setdefault(name, []).append((scores[has_score], labels[has_score]))
        if set(is_fake) != {True, False}:
            raise TrainingError(
                f"there must be real and fake clips to choose thresholds on, got {len(is_fake)}"
            )
        point = operating_point_of(
            np.array(highest),
            np.array(is_fake),
            rows,
            self.config.localization,
            calibration=calibration,
            false_positive_rate=false_positive_rate,
        )
        return self._with(
            AdapterConfig(
                stride_s=self.config.stride_s,
                localization=point.localization,
                score_threshold=point.score_threshold,
                score_thresholds=point.score_thresholds,
                real_scores=point.real_scores,
                calibration=point.calibration,
            )
        )

    def _curves_of(self, record: Record) -> tuple[ClipFeatures, dict[str, Scores]]:
        """Return scores along a clip; none where it cannot be read."""
        with suppress(MmmsbaError):
            return self._curves(probe(record.media))
        return ClipFeatures(Grid(stride_s=self.config.stride_s), 0.0, {}), {}

    def _curves(self, media: Media) -> tuple[ClipFeatures, dict[str, Scores]]:
        """Return scores along a clip, of each modality and of all together."""
        by_modality = self._score(Path(media.path))
        ends_s = [float(timed.spans.max(initial=0.0)) for timed in by_modality.values()]
        end_s = media.duration_s if media.duration_s is not None else max(ends_s, default=0.0)
        grid = Grid(stride_s=self.config.stride_s)
        num_snippets = grid.num_snippets(end_s)
        curves = {m: timed.on_grid(grid, num_snippets) for m, timed in by_modality.items()}
        opt_outs = {m: _opt_outs(curve, grid, end_s) for m, curve in curves.items()}
        for modality in self._modalities:
            if modality not in curves and end_s:
                lacks_audio = modality == "audio" and media.audio is None
                reason = NO_AUDIO_STREAM if lacks_audio else NO_SCORE
                opt_outs[modality] = (OptOut(start_s=0.0, end_s=end_s, reason=reason),)
        if curves and num_snippets:
            curves[TOGETHER] = np.fmax.reduce(list(curves.values()))
        return ClipFeatures(grid, end_s, {}, opt_outs), curves

    def _report(self, media: Media, provenance: Provenance) -> Report:
        config, settings = self.config, self.config.localization
        features, curves = self._curves(media)
        media = media.model_copy(update={"duration_s": features.end_s})
        scores = curves.pop(TOGETHER, np.full(1, np.nan))
        if np.isnan(scores).all():
            return build.abstained(media, features, provenance=provenance)
        grid, end_s = features.grid, features.end_s
        present = np.nan_to_num(scores, nan=0.0)
        return build.ok_report(
            media,
            features,
            scores=scores,
            by_modality=curves,
            segments=localize(present, None, grid, end_s=end_s, config=settings),
            proposals=ranked_proposals(present, None, grid, end_s=end_s, config=settings),
            threshold=config.score_threshold,
            onsets={m: settings.modality_thresholds.get(m, settings.onset) for m in curves},
            calibration=config.calibration,
            provenance=provenance,
            real_scores=config.real_scores,
        )

    def _with(self, config: AdapterConfig) -> "AdaptedDetector":
        return AdaptedDetector(
            self.name,
            self._score,
            self._modalities,
            config=config,
            summary=self._summary,
            reach_s=self._reach_s,
        )

    @cached_property
    def _provenance(self) -> Provenance:
        return Provenance(
            package_version=metadata.version("mmmsba-plugin"),
            api_version=API_VERSION,
            formula_version=1,
            detector=self.name,
            calibration=self.config.calibration.method,
            config=self.config.model_dump(mode="json"),
        )


def _opt_outs(curve: Scores, grid: Grid, end_s: float) -> tuple[OptOut, ...]:
    """Return the spans of a clip that a modality has no score of."""
    spans = clipped(run_spans(runs_of(np.isnan(curve)), grid), grid, end_s)
    return tuple(
        OptOut(start_s=start_s, end_s=end_s, reason=NO_SCORE) for start_s, end_s in spans.tolist()
    )
