"""Makes ``report.json`` and ``report.schema.json``, which tests compare with what is written now.

Run it after a change of the format that is meant, and read the difference before committing:

    python tests/golden/make_report.py
"""

import json
import math
from pathlib import Path

from mmmsba_plugin.report.writers import write_json
from mmmsba_plugin.schema import (
    AudioStream,
    AudioTrackReport,
    Curves,
    Edit,
    FaceTrackReport,
    FakeSegment,
    FileTraces,
    Media,
    ModalityReport,
    OptOut,
    Problem,
    Proposal,
    Provenance,
    Report,
    Threshold,
    VideoStream,
    Windows,
)

HERE = Path(__file__).parent
NUM_SNIPPETS = 50


def _bump(center: float, height: float) -> tuple[float, ...]:
    return tuple(
        round(0.08 + height * math.exp(-((i - center) ** 2) / 18), 3) for i in range(NUM_SNIPPETS)
    )


def report() -> Report:
    """A report with something in every field."""
    face = _bump(20, 0.85)
    lips = (None,) * 5 + _bump(20, 0.7)[5:]
    audio = _bump(35, 0.6)
    return Report(
        status="ok",
        media=Media(
            path="interview.mp4",
            size_bytes=1_234_567,
            sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            container="mov,mp4,m4a,3gp,3g2,mj2",
            duration_s=10.0,
            zero_s=0.021,
            video=VideoStream(
                codec="h264",
                width_px=640,
                height_px=360,
                rotation_deg=90,
                fps_hz=25.0,
                start_s=0.04,
                duration_s=9.96,
                index=0,
            ),
            audio=AudioStream(
                codec="aac", sample_rate_hz=48_000, channels=2, duration_s=10.0, index=1, track=1
            ),
            others=("video stream 2 (mjpeg, a still)",),
            joins_s=(6.2,),
            traces=FileTraces(
                tags={"major_brand": "isom", "stream 0 handler_name": "VideoHandler"},
                edits=(Edit(track=1, duration_s=10.0, media_start_s=0.08, rate=1.0),),
                c2pa=False,
            ),
        ),
        score=0.93,
        threshold=Threshold(value=0.5, false_positive_rate=0.05),
        real_share_above=0.02,
        windows=Windows(attention_s=60.0, features_s=180.0),
        segments=(
            FakeSegment(start_s=3.612, end_s=4.704, score=0.93, modality="visual", track=1),
            FakeSegment(
                start_s=6.75, end_s=7.4, score=0.68, modality="audio", words="was not there"
            ),
        ),
        modalities={
            "face": ModalityReport(score=0.93),
            "audio": ModalityReport(score=0.68),
            "lips": ModalityReport(
                score=0.78, opt_outs=(OptOut(start_s=0.0, end_s=1.0, reason="face too small"),)
            ),
        },
        proposals=(
            Proposal(start_s=3.612, end_s=4.704, score=0.93),
            Proposal(start_s=6.75, end_s=7.4, score=0.68),
            Proposal(start_s=3.4, end_s=5.1, score=0.31),
        ),
        audio_tracks=(
            AudioTrackReport(track=1, score=0.93),
            AudioTrackReport(
                track=2,
                score=None,
                problem=Problem(kind="AudioTrackError", message="it holds nothing; choose another"),
            ),
        ),
        face_tracks=(
            FaceTrackReport(
                start_s=0.04,
                end_s=10.0,
                track=1,
                share=1.0,
                box_time_s=5.0,
                box_xywh=(0.1, 0.2, 0.25, 0.5),
                speaks=True,
                lip_audio_agreement=0.31,
                score=0.93,
            ),
            FaceTrackReport(
                start_s=7.2,
                end_s=9.6,
                track=2,
                share=0.24,
                box_time_s=8.4,
                box_xywh=(0.7, 0.3, 0.1, 0.2),
                score=None,
            ),
        ),
        verdict_track=1,
        warnings=("2 faces were seen; the larger one was evaluated",),
        provenance=Provenance(
            package_version="0.1.0",
            api_version="1.0",
            formula_version=1,
            detector="mmmsba",
            checkpoint="demonstrator",
            checkpoint_sha256="2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
            trained_on="forgeries made from 45 real clips",
            calibration="temperature",
            config={"features": {"stride_s": 0.2}},
            command="mmmsba detect interview.mp4",
            created_utc="2025-01-31T12:00:00Z",
        ),
        curves=Curves(
            start_s=0.0,
            stride_s=0.2,
            score=tuple(max(f, a) for f, a in zip(face, audio, strict=True)),
            by_modality={"face": face, "audio": audio, "lips": lips},
        ),
    )


def schema_text() -> str:
    """The published JSON Schema, as text."""
    return json.dumps(Report.model_json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    with (HERE / "report.json").open("w", encoding="utf-8") as stream:
        write_json(report(), stream)
    (HERE / "report.schema.json").write_text(schema_text(), encoding="utf-8")
