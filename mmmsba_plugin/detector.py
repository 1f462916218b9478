"""The whole story in one object: a file goes in, a report comes out."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self, cast

from mmmsba_plugin import weights
from mmmsba_plugin.clip_report import provenance_of, report_on_chunks
from mmmsba_plugin.config import FeaturesConfig, Runtime, RuntimeConfig
from mmmsba_plugin.errors import (
    ConfigError,
    MediaUnreadableError,
    MmmsbaError,
    RunCancelledError,
)
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.features.combine import ChunkFeatures
from mmmsba_plugin.features.extract import extract_chunks, extract_live, media_of
from mmmsba_plugin.features.front_ends import bind_front_ends, require_versions
from mmmsba_plugin.hookspecs import DetectorInfo
from mmmsba_plugin.media.probe import audio_tracks, stated_duration_s
from mmmsba_plugin.plugins import announce, with_ignored_options
from mmmsba_plugin.report import build
from mmmsba_plugin.report.attention import with_attention
from mmmsba_plugin.run_control import (
    Cancel,
    OnProgress,
    Progress,
    check,
    run_control,
    under_control,
)
from mmmsba_plugin.schema import Media, Provenance, Report, ScoreThreshold, StreamUpdate
from mmmsba_plugin.tracks.choice import require_audio_track, require_face_track
from mmmsba_plugin.weights import checkpoint_folder
from mmmsba_plugin.workers import Limits, survive_fork

if TYPE_CHECKING:
    from mmmsba_plugin.media.arrays import DecodedSource, Samples
    from mmmsba_plugin.media.container import LiveSource
    from mmmsba_plugin.media.source import MediaSource
    from mmmsba_plugin.model.checkpoint import CheckpointConfig
    from mmmsba_plugin.model.ensemble import Network
    from mmmsba_plugin.model.explain import Explanation
    from mmmsba_plugin.structures import Rgb
    from mmmsba_plugin.tracks.choice import AudioTrack, FaceTrack

NAME = "mmms-ba"

#: Why leading silence cannot be left out of what is no file.
_ONCE = "what is decoded elsewhere passes by once"

#: Longest clip whose features are kept on the disk to tell where the network looked, in seconds.
#: A minute has 7 MB.
_LONGEST_EXPLAINED_S = 600.0

#: Shortest chunk of a live source, in seconds.
_SHORTEST_CHUNK_S = 1.0

#: Options of ``detect`` beyond those of the protocol.
_OPTIONS = (
    *("trim_silence", "false_positive_rate", "audio_track", "face_track"),
    *("cancel", "time_limit_s", "on_progress"),
)
#: The option that only a network by PyTorch can heed.
_ATTENTION = "attention"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choices:
    """Options of one call of :meth:`MmmsbaDetector.detect`, which explains them."""

    command: str | None
    duration_s: float | None
    trim_silence: bool | None
    audio_track: "AudioTrack | None"
    face_track: "FaceTrack | None"
    attention: bool


class MmmsbaDetector:
    """Judges clips with a trained MMMS-BA network, or one of its ablations.

    Args:
        network: The network, with its weights.
        config: What travels with the weights: front-ends, grid, thresholds.
        checkpoint: What the report calls the weights.
        cache: Where features are kept between runs; none are kept if not given.
        folder: Checkpoint folder of the network, from which worker processes load it.

    Raises:
        PluginNotFoundError: A front-end that the network learned from is not installed.
        CheckpointError: It is, in a version whose numbers differ.

    Example:
        >>> detector = Detector.from_pretrained()                   # doctest: +SKIP
        >>> [segment.start_s for segment in detector.detect("clip.mp4").segments]  # doctest: +SKIP
        [3.21]
    """

    def __init__(
        self,
        network: "Network",
        config: "CheckpointConfig",
        *,
        checkpoint: str | None = None,
        cache: FeatureCache | None = None,
        folder: Path | None = None,
        runtime: RuntimeConfig | None = None,
    ) -> None:
        self.network = network
        self.config = config
        # At once, not at the first clip: what is wrong here is wrong for every clip.
        self.front_ends = bind_front_ends(config.features)
        require_versions(self.front_ends, config.front_end_versions)
        self._checkpoint = checkpoint
        self._cache = cache
        self._folder = folder
        self._runtime = runtime or RuntimeConfig()
        survive_fork()

    @classmethod
    def from_pretrained(
        cls,
        path: str | Path | None = None,
        *,
        cache: FeatureCache | None = None,
        runtime: Runtime = "auto",
        device: str = "cpu",
        threads: int | None = None,
    ) -> Self:
        """Return a detector with the weights of a checkpoint folder.

        The process's own settings of threads are the same after a clip as before it.

        Args:
            path: Folder that ``mmmsba train`` or ``mmmsba finetune`` wrote, or what ``mmmsba
                export`` wrote. If not given, the folder that ``MMMSBA_WEIGHTS`` names, else the
                bundled one.
            cache: Where features are kept between runs; none are kept if not given.
            runtime: What runs the network: ``torch``, or ``onnx`` where it was exported, in about
                half the time. ``auto`` is ``torch`` wherever there are weights for it.
            device: PyTorch's name of the device that the network runs on, such as ``cuda``;
                front-ends run on the processor.
            threads: Threads of PyTorch and OpenCV while features are computed. If not given, they
                keep what the process has set, which suits one clip at a time; give 1 where several
                processes share the cores. The network has one on the processor: its steps are
                too small to share.

        Raises:
            CheckpointNotFoundError: No folder was given and none is bundled, or it holds no
                checkpoint, or none for that runtime.
            CheckpointError: The checkpoint is damaged or of another format, or a front-end
                has changed since.
            ConfigError: There is no such runtime or device, or no thread.
            MissingExtraError: The extra ``onnx`` is needed and not installed.
            PluginNotFoundError: A front-end that it needs is not installed.
        """
        folder = checkpoint_folder(path)
        from mmmsba_plugin.model.runtime import load_network

        settings = {"runtime": runtime, "device": device, "threads": threads}
        runs_on = RuntimeConfig.read(settings)
        network, config = load_network(folder, runs_on)
        name = weights.name_of(folder)
        return cls(network, config, checkpoint=name, cache=cache, folder=folder, runtime=runs_on)

    def at_false_positive_rate(self, rate: float) -> Self:
        """Return this detector with the thresholds of clips and of segments for a rate.

        Args:
            rate: Share of real clips that may be flagged, in (0, 1).

        Raises:
            ConfigError: The checkpoint has none for that rate; the message lists those it has.
        """
        return self._changed(config=self.config.at_false_positive_rate(rate))

    def with_threshold(self, probability: float) -> Self:
        """Return this detector with another threshold of clips and of segments.

        Localization runs at it too, so a clip is fake exactly if it has a segment.

        Args:
            probability: P(fake) from which a clip counts as fake, in [0, 1].

        Raises:
            ConfigError: The calibration gives no score that probability.
            ScoreRangeError: It lies outside [0, 1].
        """
        from mmmsba_plugin.localization.calibrate import lowest_score

        score = lowest_score(self.config.calibration, probability)
        return self._changed(config=self.config.at_threshold(ScoreThreshold(value=score)))

    def _changed(
        self, *, config: "CheckpointConfig | None" = None, cache: FeatureCache | None = None
    ) -> Self:
        """Return a copy of this detector with other settings, or another cache."""
        return type(self)(
            self.network,
            config or self.config,
            checkpoint=self._checkpoint,
            cache=cache or self._cache,
            folder=self._folder,
            runtime=self._runtime,
        )

    @property
    def info(self) -> DetectorInfo:
        """Name, summary, modalities, rates to choose from and provenance, as plain values."""
        modalities = self.config.modalities
        attentions = dict.fromkeys(member.attention for member in self.config.members)
        info: DetectorInfo = {
            "name": NAME,
            "summary": f"Attention {' and '.join(attentions)} over {', '.join(modalities)}.",
            "modalities": list(modalities),
            "false_positive_rates": list(self.config.false_positive_rates),
            "options": [*_OPTIONS, *([_ATTENTION] if self.network.is_explainable else [])],
            "announces_reports": True,
        }
        provenance = self._provenance.model_dump(mode="json", exclude={"command", "created_utc"})
        return cast("DetectorInfo", {**info, **provenance})

    def detect(
        self,
        media: "MediaSource",
        *,
        command: str | None = None,
        duration_s: float | None = None,
        trim_silence: bool | None = None,
        false_positive_rate: float | None = None,
        audio_track: "AudioTrack | None" = None,
        face_track: "FaceTrack | None" = None,
        attention: bool = False,
        cancel: Cancel | None = None,
        time_limit_s: float | None = None,
        on_progress: OnProgress | None = None,
        **options: Any,
    ) -> Report:
        """Detect fake segments in one clip.

        Args:
            media: The file: its path, its bytes, or a file that is open for bytes.
            command: The command line that asked for it, for the report.
            duration_s: How long the clip lasts, where its features were made elsewhere and it
                need not be there itself.
            trim_silence: Whether the clip is looked at only from where its audio begins; as
                the network learned it, if not given.
            false_positive_rate: Rate that the threshold is chosen by; the checkpoint's default
                threshold if not given.
            audio_track: Number of the audio track to evaluate, from 1 in the file's order, or
                "all" for each of them, of which the one with the highest score is reported; if
                not given, the first that is not silent, of which the default one comes first.
            face_track: Number of the face track to evaluate, as the report of all of them counts
                them; "main" for the largest face alone, which costs least; "all", or not given,
                for up to ``max_faces`` at a time, of which at each moment the highest score counts.
            attention: Whether the report has where the network looked in each fake segment, for
                its page; the network runs once more for it. Of a clip of more than ten minutes
                it has that only where the detector has a cache.
            cancel: Stops it within a second or so, once it is set or returns True: an event, such
                as ``threading.Event``, or a function. The detector can be used again at once.
            time_limit_s: Time that it may take, in seconds; beyond it the report says so.
            on_progress: Called with a :class:`~mmmsba_plugin.run_control.Progress` in seconds of
                the clip, at each frame and block of audio.
            **options: Unknown ones are tolerated, as the interface asks; a warning of the report
                names them.

        Returns:
            Its report. Unreadable media yield one of status ``error``, and media without
            anything to evaluate one of status ``abstained``; both say why.

        Raises:
            ConfigError: The checkpoint has no threshold for that false-positive rate, or the audio
                track is no number from 1 and not "all", or the face track also not "main".
            MediaTypeError: The media are no path, no bytes and no file.
            RunCancelledError: It was stopped; there is no report.
        """
        require_audio_track(audio_track)
        require_face_track(face_track)
        chosen = _Choices(
            command=command,
            duration_s=duration_s,
            trim_silence=trim_silence,
            audio_track=audio_track,
            face_track=face_track,
            attention=attention,
        )
        rate = false_positive_rate
        detector = self if rate is None else self.at_false_positive_rate(rate)
        with run_control(cancel=cancel, time_limit_s=time_limit_s, on_progress=on_progress):
            report = detector._detect(media, chosen)  # noqa: SLF001 - of this class
        return announce(with_ignored_options(report, options))

    def _detect(self, media: "MediaSource", chosen: "_Choices") -> Report:
        """Detect in a file, or in the bytes of one."""
        from mmmsba_plugin.media.source import name_of, temporary_file, with_name

        if isinstance(media, str | os.PathLike):
            return self._detect_file(Path(media), chosen)
        with temporary_file(media) as path:
            return with_name(self._detect_file(path, chosen), path, name_of(media))

    def _detect_file(self, path: Path, chosen: "_Choices") -> Report:
        audio_track, face_track = chosen.audio_track, chosen.face_track
        is_explained = chosen.attention and (self._cache is not None or _is_short(path))
        if (audio_track == "all" or is_explained) and self._cache is None:
            # The faces are the same with every track, and features when the network runs again.
            with TemporaryDirectory(prefix="mmmsba-") as folder:
                detector = self._changed(cache=FeatureCache(Path(folder)))
                return detector._detect_file(path, chosen)  # noqa: SLF001 - of this class
        config = self.config.features
        if chosen.trim_silence is not None:
            config = config.model_copy(update={"trim_silence": chosen.trim_silence})
        # With the settings that features are really made with.
        settings = {**self._provenance.config, "features": config.model_dump(mode="json")}
        if audio_track is not None:
            settings["audio_track"] = audio_track
        if face_track is not None:
            settings["face_track"] = face_track
        made_by = self._provenance.model_copy(update={"config": settings})
        make_report = partial(
            self._report,
            path,
            config,
            build.stamped(made_by, command=chosen.command),
            duration_s=chosen.duration_s,
            face_track=face_track,
        )
        from mmmsba_plugin.model.runtime import thread_limit

        with thread_limit(self._runtime.threads):
            if audio_track == "all":
                report = _report_audio_tracks(path, make_report)
            else:
                report = make_report(audio_track=audio_track)
            if not (is_explained and report.segments):
                return report
            explanations = self._explanations(
                path,
                config,
                duration_s=chosen.duration_s,
                audio_track=report.media.audio.track if report.media.audio else None,
                only_main=face_track == "main",
            )
            return with_attention(report, explanations, stride_s=config.stride_s)

    def _explanations(
        self,
        media: str | Path,
        config: FeaturesConfig,
        *,
        duration_s: float | None = None,
        audio_track: int | None = None,
        only_main: bool = False,
    ) -> "Iterator[Explanation]":
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
            return self._evaluate(media_info, chunks, provenance, track=track)
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
        return extract_chunks(
            media, self.front_ends, config, cache=self._cache, max_faces=max_faces
        )

    def detect_many(
        self,
        media: "Iterable[MediaSource]",
        *,
        workers: int | None = None,
        limits: Limits | None = None,
        **options: Any,
    ) -> Iterator[Report]:
        """Detect in clips one after the other, lazily; one that fails does not stop the rest.

        Args:
            media: The clips.
            workers: Number of processes to detect in, in which a crash costs one clip; if not
                given, all is done in this process, which suits clips that one trusts.
            limits: Time and memory that one clip may take, where ``workers`` are given.
            **options: Those of :meth:`detect`. With workers, ``cancel`` ends those at work, and
                progress is in clips.

        Raises:
            WorkerError: A worker process could not start.
            ConfigError: Workers were asked for, and the detector came from no checkpoint folder.
            RunCancelledError: It was stopped; clips in hand have no report.
        """
        if workers is None:
            for path in media:
                yield self.detect(path, **options)
            return
        from mmmsba_plugin.isolation import IsolatedDetector

        cancel, on_progress = options.pop("cancel", None), options.pop("on_progress", None)
        if (limit_s := options.pop("time_limit_s", None)) is not None:
            limits = replace(limits or Limits(), floor_s=limit_s, per_second=0.0)
        with IsolatedDetector(self._loader(), workers=workers, limits=limits) as detector:
            reports = detector.detect_many(media, **options)
            for number in count(1):
                with run_control(cancel=cancel, on_progress=on_progress):
                    report = next(reports, None)
                    if report is None:
                        return
                    check(Progress("clips", number))
                yield report

    def explain(
        self,
        media: str | Path,
        *,
        audio_track: int | None = None,
        cancel: Cancel | None = None,
    ) -> "Iterator[Explanation]":
        """Explain a clip's scores: what the network computed on the way, window by window.

        They are the numbers of :meth:`detect`, before faces are compared and scores calibrated;
        those are in ``curves`` of its report. A clip of a minute with one face is one window; two
        faces are two. Attention is no proof of anything: it says where the network looked.

        Args:
            media: The file.
            audio_track: Number of the audio track to evaluate, as for :meth:`detect`.
            cancel: Stops it, as for :meth:`detect`.

        Raises:
            CapabilityError: The network runs by ONNX Runtime, which keeps them to itself.
            MediaNotFoundError: There is no such file.
            MediaUnreadableError: It cannot be decoded.
            AudioTrackError: It has no such audio track.
            RunCancelledError: It was stopped.
        """
        from mmmsba_plugin.model.runtime import under_thread_limit

        windows = self._explanations(media, self.config.features, audio_track=audio_track)
        controlled = under_control(windows, cancel=cancel)
        yield from under_thread_limit(controlled, self._runtime.threads)

    def _loader(self) -> "Callable[[], MmmsbaDetector]":
        """Return a function that loads this detector in another process."""
        if self._folder is None:
            raise ConfigError(
                "this detector came from no checkpoint folder, from which workers could load it; "
                "leave out workers, or make it with from_pretrained"
            )
        return partial(self._reload, self._folder, self.config, self._cache, self._runtime)

    @classmethod
    def _reload(
        cls,
        folder: Path,
        config: "CheckpointConfig",
        cache: FeatureCache | None,
        runtime: RuntimeConfig,
    ) -> "MmmsbaDetector":
        from mmmsba_plugin.model.runtime import load_network

        network, _ = load_network(folder, runtime)
        name = weights.name_of(folder)
        return cls(network, config, checkpoint=name, cache=cache, folder=folder, runtime=runtime)

    def detect_frames(
        self,
        frames: "Iterable[Rgb] | None" = None,
        fps_hz: float | Sequence[float] | None = None,
        audio: "Samples | Iterable[Samples] | None" = None,
        sample_rate_hz: int | None = None,
        *,
        name: str = "decoded frames",
    ) -> Report:
        """Detect fake segments in frames and audio that were decoded elsewhere.

        Nothing is held but what is being looked at, so both can be generators.

        Args:
            frames: RGB frames of one size, each of shape ``(height, width, 3)``, uint8.
            fps_hz: Frames per second, or the time of each frame in seconds, rising.
            audio: Samples of shape ``(sample,)`` or ``(channel, sample)``, float in [-1, 1] or
                int16, or blocks of them.
            sample_rate_hz: Sample rate of the audio, in Hz.
            name: What the report calls them.

        Returns:
            The report; it names what cannot be known of what is no file.

        Raises:
            MediaTypeError: There is neither, or shape, type or rate are of no frames or audio.
        """
        from mmmsba_plugin.media.arrays import DecodedSource
        from mmmsba_plugin.model.runtime import thread_limit

        source = DecodedSource(frames, fps_hz, audio, sample_rate_hz, name=name)
        config = self.config.features
        chunks = extract_live(
            source.media,
            source.decoders,
            self.front_ends,
            config,
            max_faces=config.max_faces,
        )
        with thread_limit(self._runtime.threads):
            report = self._evaluate(source.media, chunks, build.stamped(self._provenance))
        limits = ["frames were decoded elsewhere: container, encoding and hash are not known"]
        if config.trim_silence:
            limits.append("leading silence was not left out, as the network learned it: " + _ONCE)
        return announce(report.model_copy(update={"warnings": (*report.warnings, *limits)}))

    def stream(
        self, source: "LiveSource | DecodedSource", *, chunk_s: float = 15.0, buffer_s: float = 30.0
    ) -> Iterator[StreamUpdate]:
        """Detect in a source while it passes by, and yield what becomes known.

        Features are stated relative to a chunk instead of the whole clip, so scores differ from
        those of :meth:`detect`.

        Args:
            source: A path, a URL that FFmpeg opens, ``-`` for standard input, a device as
                ``FORMAT:NAME``, a file that is open for bytes, or frames and audio.
            chunk_s: Time between two updates, in seconds. Scores are final five seconds after
                the end of their chunk, and provisional until then.
            buffer_s: How much of a source that does not wait is kept while detection is behind,
                in seconds; beyond it a stretch is dropped, which the updates name.

        Raises:
            ConfigError: A chunk lasts less than a second.
            MediaNotFoundError: There is no file at the path.
            MediaUnreadableError: The source cannot be opened, or nothing of it be decoded.
        """
        if not chunk_s >= _SHORTEST_CHUNK_S:
            raise ConfigError(f"chunk_s must be at least {_SHORTEST_CHUNK_S:g} s, got {chunk_s}")
        from mmmsba_plugin.model.runtime import under_thread_limit
        from mmmsba_plugin.streaming import open_source, stream_updates

        config = self.config.features.model_copy(update={"chunk_s": chunk_s})
        with open_source(source, buffer_s=buffer_s) as reader:
            chunks = extract_live(reader.media, reader.decoders, self.front_ends, config)
            updates = stream_updates(
                chunks, self.network, self.config, dropped=lambda: reader.dropped
            )
            yield from under_thread_limit(updates, self._runtime.threads)

    def predict(self, media: "MediaSource") -> float:
        """Return P(fake) of one clip, in [0, 1].

        Raises:
            MediaUnreadableError: The clip could not be evaluated; the message says why.
        """
        report = self.detect(media)
        if report.score is None:
            raise MediaUnreadableError(report.problem.message if report.problem else str(media))
        return report.score

    def _evaluate(
        self,
        media: Media,
        chunks: Iterable[ChunkFeatures],
        provenance: Provenance,
        *,
        track: int | None = None,
    ) -> Report:
        return report_on_chunks(
            self.network, self.config, media, chunks, provenance, face_track=track
        )

    @cached_property
    def _provenance(self) -> Provenance:
        return provenance_of(self.config, detector=NAME, checkpoint=self._checkpoint)


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
