"""Loading of a detector for a command, with the options that it must heed."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mmmsba_plugin.errors import CapabilityError

if TYPE_CHECKING:
    from mmmsba_plugin.hookspecs import Detector


def load_detector(
    name: str, checkpoint: Path | None, *, fpr: float | None = None, trim_silence: bool = False
) -> "Detector":
    """Load a detector.

    Args:
        name: Its name, as plug-ins offer it.
        checkpoint: Folder of its weights; its default if not given.
        fpr: False-positive rate to choose its thresholds by; its default ones if not given.
        trim_silence: Require that it heeds the option ``trim_silence``.

    Raises:
        BadParameter: It cannot choose a threshold, or does not heed the option.
        ConfigError: It has no threshold for the rate.
        PluginNotFoundError: No plug-in offers a detector of that name.
    """
    from mmmsba_plugin.plugins import at_false_positive_rate, lookup, require_option

    detector: Detector = lookup("detectors", name).load(checkpoint)
    try:
        if trim_silence:
            require_option(detector, "trim_silence")
        return detector if fpr is None else at_false_positive_rate(detector, fpr)
    except CapabilityError as error:
        raise typer.BadParameter(str(error)) from error
