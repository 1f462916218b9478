"""The whole story in one object: a file goes in, a report comes out."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmmsba_plugin.clip_report import report_on_chunks
from mmmsba_plugin.detector_base import BaseDetector
from mmmsba_plugin.errors import ConfigError, MediaUnreadableError
from mmmsba_plugin.features.combine import ChunkFeatures
from mmmsba_plugin.features.extract import extract_live
from mmmsba_plugin.file_detection import Choices, FileDetection
from mmmsba_plugin.plugins import announce, with_ignored_options
from mmmsba_plugin.report import build
from mmmsba_plugin.run_control import (
    Cancel,
    OnProgress,
    Progress,
    check,
    run_control,
    under_control,
)
from mmmsba_plugin.schema import Media, Provenance, Report, StreamUpdate
from mmmsba_plugin.tracks.choice import require_audio_track, require_face_track
from mmmsba_plugin.workers import Limits

if TYPE_CHECKING:
    from mmmsba_plugin.media.arrays import DecodedSource, Samples
    from mmmsba_plugin.media.container import LiveSource
    from mmmsba_plugin.media.source import MediaSource
    from mmmsba_plugin.model.explain import Explanation
    from mmmsba_plugin.structures import Rgb
    from mmmsba_plugin.tracks.choice import AudioTrack, FaceTrack

#: Why leading silence cannot be left out of what is no file.
_ONCE = "what is decoded elsewhere passes by once"

#: Shortest chunk of a live source, in seconds.
_SHORTEST_CHUNK_S = 1.0


class MmmsbaDetector(BaseDetector):
    """Detects in clips with a trained MMMS-BA network, or one of its ablations.

    Example:
        >>> detector = Detector.from_pretrained()                   # doctest: +SKIP
        >>> [segment.start_s for segment in detector.detect("clip.mp4").segments]  # doctest: +SKIP
        [3.21]
    """

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
        chosen = Choices(
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

    def _detect(self, media: "MediaSource", chosen: Choices) -> Report:
        """Detect in a file, or in the bytes of one."""
        from mmmsba_plugin.media.source import name_of, temporary_file, with_name

        if isinstance(media, str | os.PathLike):
            return self._on_files.detect(Path(media), chosen)
        with temporary_file(media) as path:
            return with_name(self._on_files.detect(path, chosen), path, name_of(media))

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
        if self._folder is None:
            raise ConfigError(
                "this detector came from no checkpoint folder, from which workers could load it; "
                "leave out workers, or make it with from_pretrained"
            )
        load = partial(self._load, self._folder, self._runtime, self._cache, self.config)
        with IsolatedDetector(load, workers=workers, limits=limits) as detector:
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

        windows = self._on_files.explain(media, self.config.features, audio_track=audio_track)
        controlled = under_control(windows, cancel=cancel)
        yield from under_thread_limit(controlled, self._runtime.threads)

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
            chunk_s: Time between two updates, in seconds. Scores are final three seconds after
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

    @property
    def _on_files(self) -> FileDetection:
        return FileDetection(
            self.network,
            self.config,
            self.front_ends,
            cache=self._cache,
            threads=self._runtime.threads,
            provenance=self._provenance,
            evaluate=self._evaluate,
        )
