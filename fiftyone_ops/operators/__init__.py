"""What the App offers: each reads its form, calls the package, and says how it went."""

from typing import Any

from .detect import DetectForgeries
from .evaluating import EvaluateForgeries
from .exporting import ExportForgeries
from .importing import ImportForgeryDataset
from .metadata import FillVideoMetadata
from .reviewing import DecideForgery, ReviewForgeries

#: Every operator; the manifest names the same.
OPERATORS: tuple[type[Any], ...] = (
    DetectForgeries,
    FillVideoMetadata,
    ImportForgeryDataset,
    EvaluateForgeries,
    ExportForgeries,
    ReviewForgeries,
    DecideForgery,
)
