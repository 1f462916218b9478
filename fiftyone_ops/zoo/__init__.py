"""A source of models for FiftyOne's zoo: loads the detector by the name ``mmmsba``.

FiftyOne copies this folder and imports it by its path, so that it names the installed package.
"""

from pathlib import Path
from typing import Any


def download_model(model_name: str, model_path: str) -> None:
    """Make the folder that stands for the model: its weights come with the package."""
    del model_name
    Path(model_path).mkdir(parents=True, exist_ok=True)


def load_model(model_name: str, model_path: str, **settings: Any) -> Any:
    """Return the model.

    Args:
        model_name: What the manifest calls it.
        model_path: The folder that stands for it.
        **settings: Those of :func:`fiftyone_ops.model.load_model`.
    """
    from fiftyone_ops import model

    del model_path
    return model.load_model(model_name, **settings)
