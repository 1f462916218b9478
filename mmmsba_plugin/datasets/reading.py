"""What all readers of corpora share: how they are set, and who hears of what they leave out."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from pydantic import Field, field_validator

from mmmsba_plugin.config import Chapter
from mmmsba_plugin.datasets.splits import split_word
from mmmsba_plugin.errors import DatasetError

#: Hears of each record that is left out.
OnError = Callable[[DatasetError], None]

_log = logging.getLogger(__name__)


class ReaderConfig(Chapter):
    """Where a corpus lies, and which part of it is wanted."""

    root: Path = Field(description="The folder of the corpus.")
    split: str | None = Field(
        default=None,
        description="Only this split: train, dev or test, or what others call them, such as val "
        "and valid; all if not given.",
    )
    need_media: bool = Field(
        default=True,
        description="Whether a record whose clip is not there is left out; false where "
        "predictions are measured or features that another tool made are learned from.",
    )

    @field_validator("split")
    @classmethod
    def _in_our_word(cls, said: str | None) -> str | None:
        return split_word(said) if said else said


def warn(error: DatasetError) -> None:
    """Log what is left out, and go on; for ``on_error``."""
    _log.warning("left out: %s", error)


def refuse(error: DatasetError) -> NoReturn:
    """End reading at the first record that is malformed; for ``on_error``."""
    raise error
