"""Reader of reviews, offered as a dataset reader beside those of datasets."""

from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.datasets.reader import warn
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.record import Record
from mmmsba_plugin.review.document import reviewed_records


class ReviewedConfig(Config):
    """Settings of the reader of reviews."""

    root: Path = Field(description="Folder of reviews, as `mmmsba review` writes them.")


def read_reviewed(
    config: ReviewedConfig, on_error: Callable[[DatasetError], None] = warn
) -> Iterator[Record]:
    """Yield the records of the clips whose review ended with a ground truth.

    Args:
        config: Where the reviews lie.
        on_error: Called with what is wrong with each review that is left out.

    Raises:
        DatasetError: There is no such folder, or no review in it ended with a ground truth.
    """
    if not config.root.is_dir():
        raise DatasetError(f"there is no folder {config.root}; give that of the reports")
    is_empty = True
    for record in reviewed_records(config.root, on_error):
        is_empty = False
        yield record
    if is_empty:
        raise DatasetError(
            f"no clip in {config.root} has a finished review; finish some with "
            f"`mmmsba review {config.root}`"
        )
