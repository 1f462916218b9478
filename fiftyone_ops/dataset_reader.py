"""Reader of FiftyOne datasets, offered through the plug-in door as a stranger's would be.

The module stays light: FiftyOne is imported once a dataset is read.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import DatasetError, MissingExtraError
from mmmsba_plugin.hookspecs import DatasetReader, hookimpl

if TYPE_CHECKING:
    from mmmsba_plugin.record import Record


class FiftyOneConfig(Config):
    """Settings of the reader of FiftyOne datasets."""

    root: str = Field(
        description="Name of the dataset, or NAME:FIELD with the field of its true segments; "
        "forgeries_reviewed if not given."
    )


@hookimpl
def forensics_dataset_readers() -> Iterator[DatasetReader]:
    """Offer the reader of FiftyOne datasets."""
    yield DatasetReader(
        name="fiftyone",
        summary="A FiftyOne dataset with reviewed labels, DATASET[:FIELD] in place of a folder.",
        config=FiftyOneConfig,
        build=read_fiftyone,
    )


def read_fiftyone(
    config: FiftyOneConfig, *, on_error: Callable[[DatasetError], None]
) -> "Iterator[Record]":
    """Return the records of a dataset whose labels can be learned from.

    Args:
        config: Which dataset and field.
        on_error: Never called: a sample without a truth is no record.

    Raises:
        MissingExtraError: FiftyOne is not installed.
        DatasetError: There is no such dataset or field, or nothing in it was reviewed.
    """
    del on_error
    try:
        from .dataset.records import learnable
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"a dataset needs {error.name}; install it with: pip install 'mmmsba-plugin[fiftyone]'"
        ) from error
    return learnable(config.root)[1]
