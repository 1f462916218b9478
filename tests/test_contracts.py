"""Our own detector and reader keep the contracts that strangers' must.

Front-ends, writers and forgers, which need nothing made beforehand, are in
``test_plugins.py``.
"""

import json

import pytest

from mmmsba_plugin.datasets.lavdf_metadata import METADATA
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.testing import DatasetReaderContract, DetectorContract, samples


class TestMmmsBa(DetectorContract):
    entry = lookup("detectors", "mmms-ba")

    @pytest.fixture(autouse=True)
    def _trained(self, checkpoint):
        self.checkpoint = checkpoint


class TestLavDf(DatasetReaderContract):
    entry = lookup("dataset_readers", "lav-df")

    def dataset(self, folder):
        listed = []
        for name, periods in (("real.mp4", []), ("fake.mp4", [[0.5, 1.0], [0.2, 0.6]])):
            samples.clip(folder / name, duration_s=1.2)
            listed.append(
                {
                    "file": name,
                    "n_fakes": len(periods),
                    "fake_periods": periods,
                    "modify_audio": bool(periods),
                    "modify_video": False,
                    "split": "test",
                }
            )
        (folder / METADATA).write_text(json.dumps(listed))
        return folder
