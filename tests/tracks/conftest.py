"""A portrait with one face."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    """The astronaut of scikit-image, 512 px wide and high."""
    from skimage import data

    return data.astronaut()
