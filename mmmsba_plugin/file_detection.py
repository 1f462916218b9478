"""Detection in one file: with which audio track and which faces, whatever is wrong with it."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mmmsba_plugin.config import FeaturesConfig
from mmmsba_plugin.errors import MmmsbaError, RunCancelledError
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.features.combine import ChunkFeatures
from mmmsba_plugin.features.extract import extract_chunks, media_of
from mmmsba_plugin.features.front_ends import BoundFrontEnd
from mmmsba_plugin.media.probe import audio_tracks, stated_duration_s
from mmmsba_plugin.report import build
from mmmsba_plugin.report.attention import with_attention
from mmmsba_plugin.schema import Media, Provenance, Report

if TYPE_CHECKING:
    from mmmsba_plugin.model.checkpoint import CheckpointConfig
    from mmmsba_plugin.model.ensemble import Network
    from mmmsba_plugin.model.explain import Explanation
    from mmmsba_plugin.tracks.choice import AudioTrack, FaceTrack

#: Longest clip whose features are kept on the disk to tell where the network looked, in seconds.
#: A minute has 7 MB.
_LONGEST_EXPLAINED_S = 600.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Options of one detection; :meth:`mmmsba_plugin.Detector.detect` explains them."""

    command: str | None
    duration_s: float | None
    trim_silence: bool | None
    audio_track: "AudioTrack | None"
    face_track: "FaceTrack | None"
    attention: bool


def with_choices(config: Mapping[str, Any], **choices: object) -> dict[str, Any]:
    """Return the settings in force: those of a detector, with the options of one detection.

    Args:
        config: Settings of the detector.
        **choices: Options, by name; those that are None leave it as it is.
    """
    choices = {name: choice for name, choice in choices.items() if choice is not None}
    features = dict(config.get("features", {}))
    # Features are really made so.
    if "trim_silence" in features.keys() & choices.keys():
        features["trim_silence"] = choices["trim_silence"]
    return {**config, **({"features": features} if features else {}), **choices}


@dataclass(frozen=True, slots=True)
class FileDetection:
    """Detection in files by one network.

    Attributes:
        network: The network.
        config: What travels with its weights.
        front_ends: The front-end of each modality.
        cache: Where features are kept; none are kept if None.
        threads: Threads of PyTorch and OpenCV; left as they are if None.
        provenance: Origin of the network.
        evaluate: Makes a report of a clip's features.
    """

    network: "Network"
    config: "CheckpointConfig"
    front_ends: Mapping[str, BoundFrontEnd]
    cache: FeatureCache | None
    threads: int | None
    provenance: Provenance
    evaluate: Callable[..., Report]

    def detect(self, path: Path, chosen: Choices) -> Report:
        """Detect in a file."""
        audio_track, face_track = chosen.audio_track, chosen.face_track
        is_explained = chosen.attention and (self.cache is not None or _is_short(path))
        if (audio_track == "all" or is_explained) and self.cache is None:
            # The faces are the same with every track, and features when the network runs again.
            with TemporaryDirectory(prefix="mmmsba-") as folder:
                return replace(self, cache=FeatureCache(Path(folder))).detect(path, chosen)
        config = self.config.features
        if chosen.trim_silence is not None:
            config = config.model_copy(update={"trim_silence": chosen.trim_silence})
        settings = with_choices(
            self.provenance.config,
            trim_silence=chosen.trim_silence,
            audio_track=audio_track,
            face_track=face_track,
        )
        made_by = self.provenance.model_copy(update={"config": settings})
        make_report = partial(
            self._report,
            path,
            config,
            build.stamped(made_by, command=chosen.command),
            duration_s=chosen.duration_s,
            face_track=face_track,
        )
        from mmmsba_plugin.model.runtime import thread_limit

        with thread_limit(self.threads):
            if audio_track == "all":
                report = _report_audio_tracks(path, make_report)
            else:
                report = make_report(audio_track=audio_track)
            if not (is_explained and report.segments):
                return report
            explanations = self.explain(
                path,
                config,
                duration_s=chosen.duration_s,
                audio_track=report.media.audio.track if report.media.audio else None,
                only_main=face_track == "main",
            )
            return with_attention(report, explanations, stride_s=config.stride_s)

    def explain(
        self,
        media: str | Path,
        config: FeaturesConfig,
        *,
        duration_s: float | None = None,
        audio_track: int | None = None,
        only_main: bool = False,
    ) -> "Iterator[Explanation]":
        """Yield the explanations of a file's scores, window by window."""
        from mmmsba_plugin.model.explain import explain_chunk

        media_info = media_of(
            media, self.front_ends, duration_s=duration_s, audio_track=audio_track
        )
        for chunk in self._chunks(media_info, config, only_main=only_main):
            yield from explain_chunk(self.network, chunk, self.config.localization)

    def _report(
        self,
        media: Path,
        config: FeaturesConfig,
        provenance: Provenance,
        *,
        duration_s: float | None,
        audio_track: int | None,
        face_track: "FaceTrack | None",
    ) -> Report:
        """Report on a clip with one of its audio tracks, whatever is wrong with it."""
        media_info = build.unread(media)
        try:
            media_info = media_of(
                media, self.front_ends, duration_s=duration_s, audio_track=audio_track
            )
            chunks = self._chunks(media_info, config, only_main=face_track == "main")
            track = face_track if isinstance(face_track, int) else None
            return self.evaluate(media_info, chunks, provenance, track=track)
        except RunCancelledError:
            raise
        except MmmsbaError as error:
            return build.failed(media_info, error, provenance=provenance)
        # A stranger's front-end, or a library that meets a hostile file, can raise anything,
        # and the clips behind this one must not be lost for it.
        except Exception as error:  # noqa: BLE001 - see above
            _log.exception("judging %s failed unexpectedly", media)
            return build.failed(media_info, error, provenance=provenance)

    def _chunks(
        self, media: Media, config: FeaturesConfig, *, only_main: bool = False
    ) -> Iterator[ChunkFeatures]:
        max_faces = 1 if only_main else config.max_faces
        return extract_chunks(media, self.front_ends, config, cache=self.cache, max_faces=max_faces)


def _is_short(path: Path) -> bool:
    """Return whether a file states that it is short."""
    try:
        duration_s = stated_duration_s(path)
    # What is wrong with the file, its report says.
    except (MmmsbaError, OSError):
        return False
    return duration_s is not None and duration_s <= _LONGEST_EXPLAINED_S


def _report_audio_tracks(media: Path, make_report: "Callable[..., Report]") -> Report:
    """Report on a clip with the audio track with which it scores highest."""
    try:
        track_numbers = audio_tracks(media)
    # What is wrong with the file, its report says.
    except (MmmsbaError, OSError):
        track_numbers = ()
    if not track_numbers:
        return make_report(audio_track=None)
    return build.of_audio_tracks({n: make_report(audio_track=n) for n in track_numbers})
