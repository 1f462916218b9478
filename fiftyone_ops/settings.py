"""Settings of the App's forms, one frozen model an operator.

The sentence beside a field is also its text in the form.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from mmmsba_plugin.config import Config
from mmmsba_plugin.schema import Probability

#: A name that FiftyOne takes for a field and for a run.
FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
ReviewReason = Literal["uncertain", "unlabelled", "missed", "disagree", "not_evaluated", "changed"]
Rate = Annotated[float, Field(gt=0, lt=1)]
UnitInterval = Annotated[float, Field(ge=0, le=1)]


class DetectSettings(Config):
    """Settings of detection, and of the labels that it writes."""

    detector: str = Field(default="mmms-ba", description="Detector to run.")
    checkpoint: Path | None = Field(
        default=None,
        description="Folder of trained weights, or fast, which takes half of the time and finds "
        "less; the default ones if not given.",
    )
    label_field: FieldName = Field(
        default="forgeries", description="Field of the segments, and stem of the other fields."
    )
    threshold: Probability | None = Field(
        default=None,
        description="P(fake) from which a video counts as fake; the checkpoint's if not given.",
    )
    false_positive_rate: Rate | None = Field(
        default=None,
        description="Share of real videos that may be flagged, such as 0.05, instead.",
    )
    existing: Literal["resume", "skip", "overwrite"] = Field(
        default="resume",
        description="Videos with predictions: resume runs those anew that failed, or were run with "
        "other weights or settings; skip leaves all alone; overwrite runs all anew.",
    )
    opt_outs: bool = Field(
        default=True, description="Write where each modality could not be evaluated."
    )
    curves: bool = Field(default=True, description="Write scores along time, a vector a video.")
    proposals: bool = Field(
        default=True, description="Write ranked proposals, which metrics are computed from."
    )
    frames: bool = Field(
        default=False, description="Also write a score on every frame; slow, and large."
    )
    batch_size: int = Field(
        default=256,
        ge=1,
        le=10_000,
        description="Videos whose labels are written at a time; sooner where they take long.",
    )

    @model_validator(mode="after")
    def _one_line(self) -> Self:
        if self.threshold is not None and self.false_positive_rate is not None:
            raise ValueError("give a threshold or a false-positive rate, not both")
        return self


class MetadataSettings(Config):
    """Settings of filling metadata."""

    overwrite: bool = Field(default=False, description="Make anew what is there already.")
    proxies: bool = Field(
        default=False,
        description="Make an H.264 copy of each video that no browser plays, a still of files "
        "without frames, and show those; the files themselves stay what they are.",
    )
    proxies_folder: Path | None = Field(
        default=None,
        description="Folder of the copies; a folder of the dataset's own if not given.",
    )


class PlayableSettings(Config):
    """Settings of the operator that makes videos playable: there are none."""


class ImportSettings(Config):
    """Settings of the import of a dataset."""

    data: str = Field(
        default="", description="The dataset: DIR, READER=DIR or READER[KEY=VALUE]=DIR."
    )
    reader: str | None = Field(
        default=None, description="Reader of a plain DIR; the one that recognises it if not given."
    )
    split: str | None = Field(default=None, description="Only this split; all if not given.")
    name: str | None = Field(
        default=None, description="Name of the dataset; of the dataset's folder if not given."
    )
    truth_field: FieldName = Field(
        default="ground_truth", description="Field of the true segments."
    )
    need_media: bool = Field(default=True, description="Leave out what is not there.")
    batch_size: int = Field(
        default=500, ge=1, le=10_000, description="Samples that are added at a time."
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.data:
            raise ValueError("say which dataset, such as data='lav-df=DIR'")
        return self


class EvaluateSettings(Config):
    """Settings of evaluation."""

    predictions: FieldName = Field(
        default="forgeries", description="Label field that detect_forgeries wrote."
    )
    truth_field: FieldName = Field(
        default="ground_truth", description="Field of the true segments, or of reviewed ones."
    )
    eval_key: FieldName = Field(
        default="eval", description="Name of the evaluation, and stem of what it writes."
    )
    mode: Literal["official", "voc"] = Field(
        default="official",
        description="official: as AV-Deepfake1M's evaluator, to the bit; voc: the "
        "mathematically right form.",
    )
    tiou: UnitInterval = Field(
        default=0.5, description="Overlap from which a segment counts as found, for the labels."
    )
    resamples: int = Field(
        default=0, ge=0, description="Draws for 95 % intervals; 0 for none, 1000 is usual."
    )
    model_evaluation: bool = Field(
        default=True,
        description="Also keep the verdicts as an evaluation of the App's panel Model Evaluation.",
    )
    activitynet: bool = Field(
        default=False,
        description="Also run FiftyOne's own ActivityNet-style evaluation, which counts frames.",
    )


class EmbedSettings(Config):
    """Settings of embeddings."""

    detector: str = Field(default="mmms-ba", description="Detector whose embeddings are taken.")
    checkpoint: Path | None = Field(
        default=None, description="Folder of trained weights; the default ones if not given."
    )
    embedding_field: FieldName = Field(
        default="forgery_embedding", description="Field of the embeddings, and stem of the runs."
    )
    similarity: bool = Field(
        default=True, description="Let the App sort clips by how alike they are."
    )
    visualization: bool = Field(
        default=True, description="Draw all clips in a plane, for the App's panel Embeddings."
    )


class ReviewSettings(Config):
    """Settings of the review queue."""

    reason: ReviewReason = Field(
        default="uncertain",
        description="uncertain: the score lies close to the threshold; unlabelled: segments are "
        "predicted where the ground truth has none; missed: the ground truth has a segment where "
        "none is predicted; disagree: the scores of two modalities lie far apart; not_evaluated: "
        "the detector abstained or failed; changed: the predictions changed since the review was "
        "ended.",
    )
    label_field: FieldName = Field(
        default="forgeries", description="Label field that detect_forgeries wrote."
    )
    truth_field: FieldName = Field(
        default="ground_truth", description="Field of the true segments, if there are any."
    )


class ExportSettings(Config):
    """Settings of export."""

    folder: Path = Field(default=Path(), description="Folder of the export.")
    what: Literal["reports", "clips", "lav-df"] = Field(
        default="reports",
        description="reports: the report on each video, in files; clips: each segment as a video "
        "of its own; lav-df: a dataset to train on, in LAV-DF's layout.",
    )
    label_field: FieldName = Field(
        default="forgeries", description="Label field of the segments; for reports and clips."
    )
    truth_field: FieldName = Field(
        default="forgeries_reviewed", description="Field of the truth; for lav-df."
    )
    formats: str = Field(
        default="json,csv,vtt", description="Writers, separated by commas; for reports."
    )
    padding_s: float = Field(
        default=0.5, ge=0, le=60, description="Seconds before and after a segment; for clips."
    )
    copy_media: bool = Field(
        default=True, description="Copy the videos; link to them if not. For lav-df."
    )

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.folder == Path():
            raise ValueError("say where to, as folder='exported'")
        return self


class ReviewReportSettings(Config):
    """Settings of the report on a review."""

    file: Path = Field(
        default=Path(), description="File of the page, such as review.html; it must be new."
    )
    title: str = Field(
        default="", max_length=200, description="Title of the page, such as the name of a case."
    )
    label_field: FieldName = Field(
        default="forgeries", description="Label field that detect_forgeries wrote."
    )

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.file == Path():
            raise ValueError("say where to, as file='review.html'")
        return self
