"""The format of a file is recognised from what it holds."""

import pytest

from mmmsba_plugin.errors import ConfigError, PredictionsError
from mmmsba_plugin.evaluation.predictions import (
    FORMS,
    read_predictions,
)

from .samples import ROWS, written


def test_a_format_must_be_one_of_those_known(tmp_path):
    path = written(tmp_path, "prediction.json", ROWS)
    with pytest.raises(ConfigError, match=r"no format 'lavdf'"):
        read_predictions(path, form="lavdf")
    assert len(set(FORMS)) == 6


@pytest.mark.parametrize("what", ["hello", "", "[1, 2]", "clip.mp4\n", "\0\1\2"])
def test_a_file_of_another_kind_is_refused(tmp_path, what):
    with pytest.raises(PredictionsError, match=r"odd.bin holds predictions in no known"):
        read_predictions(written(tmp_path, "odd.bin", what))
