"""The public face of the package."""

import mmmsba_plugin


def test_every_public_name_is_there_and_listed():
    for name in mmmsba_plugin.__all__:
        assert getattr(mmmsba_plugin, name) is not None
    assert dir(mmmsba_plugin) == sorted(mmmsba_plugin.__all__)


def test_the_detector_of_the_package_is_the_one_that_its_entry_loads(checkpoint):
    detector = mmmsba_plugin.lookup("detectors", "mmms-ba").load(checkpoint)
    assert isinstance(detector, mmmsba_plugin.Detector)
