"""Operators of the App: each reads its form, calls a task, and prints its summary."""

from typing import Any

from .detect import DetectForgeries
from .embed import EmbedClips
from .evaluate import EvaluateForgeries
from .export import ExportForgeries
from .import_dataset import ImportForgeryDataset
from .metadata import FillVideoMetadata, MakeVideosPlayable
from .review import DecideForgery, ReportReview, ReviewForgeries

#: Every operator; the manifest names the same.
OPERATORS: tuple[type[Any], ...] = (
    DetectForgeries,
    FillVideoMetadata,
    MakeVideosPlayable,
    ImportForgeryDataset,
    EvaluateForgeries,
    ExportForgeries,
    EmbedClips,
    ReviewForgeries,
    DecideForgery,
    ReportReview,
)
