"""What a data set teaches: clips with the truth that people stand by, as training reads them."""

from collections.abc import Iterator
from typing import Any

import fiftyone as fo

from mmmsba_plugin.datasets.record import Record
from mmmsba_plugin.errors import DatasetError

from .labels import Fields
from .reading import records
from .review import is_finished
from .targets import Samples, flattened

#: What stands between a data set's name and a field's.
_COLON = ":"
_DEFAULT = Fields("forgeries").reviewed
_SUFFIX = "_reviewed"


def learnable(said: str) -> tuple[str, Iterator[Record]]:
    """Return the name of a data set, and its clips with their truth.

    Args:
        said: ``DATASET`` or ``DATASET:FIELD``. The field that a review wrote, ``FIELD`` ending in
            ``_reviewed``, counts where the review is finished; any other one where it is set.

    Raises:
        DatasetError: There is no such data set or field, or nothing in it was reviewed.
    """
    name, _, field = said.partition(_COLON)
    dataset = _opened(name)
    field = field or _DEFAULT
    if field not in dataset.get_field_schema():
        raise DatasetError(
            f"the data set {name!r} has no field {field!r} to learn from; review predictions in "
            f"the App first, or name a field of true segments as {name}:ground_truth"
        )
    samples = finished(dataset, field)
    if not samples:
        raise DatasetError(
            f"no sample of {name!r} has a finished review in {field!r}; finish some in the App"
        )
    return name, records(samples, field)


def _opened(name: str) -> Any:
    if not fo.dataset_exists(name):
        there = ", ".join(fo.list_datasets()) or "none"
        raise DatasetError(f"FiftyOne has no data set {name!r}; there are: {there}")
    return fo.load_dataset(name)


def finished(samples: Samples, field: str) -> Samples:
    """Return the samples whose truth can be learned from.

    Args:
        samples: A data set or a view.
        field: A field of segments. That of a review counts where the review is finished.
    """
    samples = flattened(samples)
    stem = field.removesuffix(_SUFFIX)
    fields = Fields(stem)
    if stem == field or fields.review not in samples.get_field_schema():
        return samples.exists(field)
    return samples.match(is_finished(fields))
