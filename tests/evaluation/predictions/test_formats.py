"""The format of a file is recognised from what it holds."""

import pytest

from mmmsba_plugin.errors import ConfigError, PredictionsError
from mmmsba_plugin.evaluation.predictions import (
    FORMS,
    read_predictions,
)

from .samples import ROWS, write_file


def test_a_format_must_be_one_of_those_known(tmp_path):
    path = write_file(tmp_path, "prediction.json", ROWS)
    with pytest.raises(ConfigError, match=r"no format 'lavdf'"):
        read_predictions(path, form="lavdf")
    assert len(set(FORMS)) == 6


@pytest.mark.parametrize("content", ["hello", "", "[1, 2]", "clip.mp4\n", "\0\1\2"])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    with pytest.raises(PredictionsError, match=r"odd.bin holds predictions in no known"):
        read_predictions(write_file(tmp_path, "odd.bin", content))
