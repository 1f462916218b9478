"""Which fields are ours: each run is registered with its data set, as FiftyOne's own are.

A field's type says nothing about whose it is: a corpus's truth is made of the same labels as
our predictions. So a field is written to only if a run of ours made it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import fiftyone as fo

from .errors import FieldTakenError
from .labels import Fields

#: What our runs say that they are.
DETECT: Final = "mmmsba/detect"
REVIEW: Final = "mmmsba/review"
EVALUATE: Final = "mmmsba/evaluate"
IMPORT: Final = "mmmsba/import"


def made_by(info: Mapping[str, Any]) -> str:
    """Return a short name for a detector with its weights and settings.

    Args:
        info: What it says of itself, as plain values.
    """
    told = json.dumps(info, sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def require_ours(dataset: Any, run_key: str, *, method: str, fields: tuple[str, ...]) -> None:
    """Check that a run may write to its fields.

    Args:
        dataset: The data set.
        run_key: What the run is called.
        method: What our run of that name says that it is.
        fields: Those it writes to.

    Raises:
        FieldTakenError: A run of that name is something else, or a field is there that no run
            of ours made, or one is read-only.
    """
    if method_of(dataset, run_key) == method:
        _require_writable(dataset, fields)
        return
    if _is_taken(dataset, run_key):
        raise FieldTakenError(
            f"{dataset.name!r} has a run called {run_key!r} that is none of ours; choose another "
            f"field, such as {run_key}_2"
        )
    schema = dataset.get_field_schema()
    if there := [name for name in fields if name in schema]:
        raise FieldTakenError(
            f"{dataset.name!r} has a field {there[0]!r} that no run of ours made, and what is in "
            f"it would be lost; choose another field, such as {run_key}_2"
        )


def method_of(dataset: Any, run_key: str) -> str | None:
    """Return what a run says that it is; None where there is no such run."""
    if run_key not in dataset.list_runs():
        return None
    method = dataset.get_run_info(run_key).config.method
    return method if isinstance(method, str) else None


def register(dataset: Any, run_key: str, *, method: str, **told: Any) -> None:
    """Note a run, or what is new about one.

    Args:
        dataset: The data set.
        run_key: What the run is called.
        method: What it is.
        **told: What else to keep, as plain values; what it is told again is replaced.
    """
    if method_of(dataset, run_key) is None:
        dataset.register_run(run_key, fo.RunConfig(method=method, **told))
        return
    config = dataset.get_run_info(run_key).config
    for name, value in told.items():
        setattr(config, name, value)
    dataset.update_run_config(run_key, config)


def makers_of(dataset: Any, fields: Fields) -> dict[str, Any]:
    """Return which detectors wrote to fields, by what verdicts call them."""
    if method_of(dataset, fields.segments) != DETECT:
        return {}
    config = dataset.get_run_info(fields.segments).config
    return dict(getattr(config, "makers", None) or {})


def _is_taken(dataset: Any, key: str) -> bool:
    return key in {*dataset.list_runs(), *dataset.list_evaluations(), *dataset.list_brain_runs()}


def _require_writable(dataset: Any, fields: tuple[str, ...]) -> None:
    schema = dataset.get_field_schema()
    locked = [name for name in fields if name in schema and schema[name].read_only]
    if locked:
        raise FieldTakenError(
            f"the field {locked[0]!r} of {dataset.name!r} is read-only; choose another field, or "
            f"make it writable with dataset.get_field({locked[0]!r}).read_only = False and save()"
        )
