"""Report on a clip from its features: predict, localize, calibrate."""

from collections.abc import Iterable
from importlib import metadata
from typing import TYPE_CHECKING

from mmmsba_plugin.features.combine import ChunkFeatures, join
from mmmsba_plugin.hookspecs import API_VERSION
from mmmsba_plugin.memory import return_freed_memory
from mmmsba_plugin.report import build
from mmmsba_plugin.schema import Media, Provenance, Report, Windows

if TYPE_CHECKING:
    from mmmsba_plugin.config import LocalizationConfig
    from mmmsba_plugin.model.checkpoint import CheckpointConfig
    from mmmsba_plugin.model.ensemble import Network
    from mmmsba_plugin.model.lanes import LanesPrediction
    from mmmsba_plugin.structures import ClipFeatures


def report_on_chunks(
    network: "Network",
    config: "CheckpointConfig",
    media: Media,
    chunks: Iterable[ChunkFeatures],
    provenance: Provenance,
    *,
    face_track: int | None = None,
) -> Report:
    """Report on a clip from its features.

    Args:
        network: The network.
        config: What travels with its weights: thresholds, calibration and settings.
        media: The clip.
        chunks: Its features, taken one by one.
        provenance: What the report says of its origin.
        face_track: Number of the only face track that counts; all of them if not given.

    Returns:
        Its report; of status ``abstained`` if there is nothing to evaluate.

    Raises:
        FaceTrackError: The clip has no such face track.
        FeatureError: The features do not fit the network.
    """
    import numpy as np

    from mmmsba_plugin.localization.binarize import localize
    from mmmsba_plugin.localization.proposals import ranked_proposals
    from mmmsba_plugin.report.face_tracks import face_track_reports, left_out, require_track

    settings, calibration = config.localization, config.calibration
    parts, predicted = _predict(network, chunks, settings, face_track)
    features, tracks = join(parts), [chunk.tracks for chunk in parts if chunk.tracks]
    media = media.model_copy(update={"duration_s": features.end_s})
    highest = predicted.highest if predicted else {}
    face_tracks = face_track_reports(tracks, highest, calibration=calibration)
    if face_track is not None:
        require_track(face_track, face_tracks, media)
    if predicted is None or np.isnan(predicted.prediction.scores).all():
        return build.abstained(media, features, provenance=provenance)
    prediction = predicted.prediction
    grid, end_s = features.grid, features.end_s
    # Nothing can be found where nothing is present.
    scores = np.nan_to_num(prediction.scores, nan=0.0)
    report = build.ok_report(
        media,
        features,
        scores=prediction.scores,
        by_modality=prediction.by_modality,
        segments=localize(scores, prediction.distances, grid, end_s=end_s, config=settings),
        proposals=ranked_proposals(*prediction.candidates, grid, end_s=end_s, config=settings),
        threshold=config.score_threshold,
        onsets={
            m: settings.modality_thresholds.get(m, settings.onset) for m in prediction.by_modality
        },
        calibration=calibration,
        provenance=provenance,
        real_scores=config.real_scores,
        windows=_windows(config, features, num_chunks=len(parts)),
        face_tracks=face_tracks,
        track_ids=predicted.track_ids if face_tracks else None,
    )
    # Nobody shall read a score without what to know about the weights.
    caution = [config.caution] if config.caution else []
    warnings = (*report.warnings, *left_out(tracks), *caution)
    return report.model_copy(update={"warnings": warnings})


def _predict(
    network: "Network",
    chunks: Iterable[ChunkFeatures],
    config: "LocalizationConfig",
    face_track: int | None,
) -> "tuple[list[ChunkFeatures], LanesPrediction | None]":
    """Predict along a clip, chunk by chunk; chunks come back without their rows."""
    from mmmsba_plugin.model.lanes import join_chunks, predict_lanes

    bare, parts = [], []
    for chunk in chunks:
        bare.append(chunk.without_rows())
        if chunk.features.num_snippets:
            return_freed_memory()
            parts.append((predict_lanes(network, chunk, config, track=face_track), chunk.own))
        # Its rows need not stay while the next ones are computed.
        del chunk
    return bare, join_chunks(parts) if parts else None


def _windows(
    config: "CheckpointConfig", features: "ClipFeatures", *, num_chunks: int
) -> Windows | None:
    """Return the windows that a long clip was cut into."""
    attention_s = config.localization.window_s
    windows = Windows(
        attention_s=attention_s if features.end_s > attention_s else None,
        features_s=config.features.chunk_s if num_chunks > 1 else None,
    )
    return windows if windows != Windows() else None


def provenance_of(
    config: "CheckpointConfig", *, detector: str, checkpoint: str | None
) -> Provenance:
    """Return the provenance of reports: versions, weights and settings.

    Args:
        config: What travels with the weights.
        detector: Name of the detector.
        checkpoint: Name of the weights.
    """
    keys = {
        "members",
        "features",
        "localization",
        "score_threshold",
        "calibration",
        "front_end_versions",
        "tuned_from",
    }
    return Provenance(
        package_version=metadata.version("mmmsba-plugin"),
        api_version=API_VERSION,
        formula_version=config.formula_version,
        detector=detector,
        checkpoint=checkpoint,
        checkpoint_sha256=config.weights_sha256 or None,
        trained_on=config.trained_on,
        calibration=config.calibration.method,
        config=config.model_dump(mode="json", include=keys),
    )
