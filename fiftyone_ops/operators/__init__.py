"""What the App offers: each reads its form, calls the package, and says how it went."""

from typing import Any

from .detect import DetectForgeries
from .evaluating import EvaluateForgeries
from .importing import ImportForgeryDataset
from .metadata import FillVideoMetadata

#: Every operator; the manifest names the same.
OPERATORS: tuple[type[Any], ...] = (
    DetectForgeries,
    FillVideoMetadata,
    ImportForgeryDataset,
    EvaluateForgeries,
)
