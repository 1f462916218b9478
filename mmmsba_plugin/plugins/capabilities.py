"""Optional capabilities of a detector.

The protocol tolerates options that a detector does not know, so that hosts and detectors of
different age work together. What changes the answer must not be dropped in silence, though:
our own callers ask for it here, and get it or an error.
"""

from collections.abc import Collection, Mapping
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmmsba_plugin.errors import CapabilityError
from mmmsba_plugin.hookspecs import Detector, DetectorEntry

if TYPE_CHECKING:
    from mmmsba_plugin.schema import Report


def load_with(
    entry: DetectorEntry, checkpoint: Path | None, options: Mapping[str, Any]
) -> Detector:
    """Load a detector with options of how it runs, such as ``threads``.

    Args:
        entry: What offers the detector.
        checkpoint: Folder of its weights; its default if None.
        options: By name; those that were given.

    Raises:
        CapabilityError: It does not take one of the options.
    """
    parameters = signature(entry.load).parameters.values() if options else ()
    takes_any = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters)
    unknown = set(options) - {parameter.name for parameter in parameters}
    if unknown and not takes_any:
        name = min(unknown)
        raise CapabilityError(
            f"the detector {entry.name!r} cannot be loaded with {name}; leave that out",
            capability=name,
        )
    return entry.load(checkpoint, **options)


def at_false_positive_rate(detector: Detector, rate: float) -> Detector:
    """Return the detector with its thresholds, of clips and of segments, for a rate.

    Args:
        detector: Has the method ``at_false_positive_rate``; ``info["false_positive_rates"]``
            lists the rates.
        rate: Share of real clips that may be flagged, in (0, 1).

    Raises:
        CapabilityError: The detector has no thresholds to choose from.
        ConfigError: It has none for that rate.
    """
    choose = getattr(detector, "at_false_positive_rate", None)
    if choose is None:
        raise CapabilityError(
            "this detector has no thresholds to choose from; leave out the false-positive rate",
            capability="at_false_positive_rate",
        )
    chosen: Detector = choose(rate)
    return chosen


def with_threshold(detector: Detector, probability: float) -> Detector:
    """Return the detector with a threshold that decides verdicts and segments alike.

    Args:
        detector: Has the method ``with_threshold``.
        probability: P(fake) from which a clip counts as fake, in [0, 1].

    Raises:
        CapabilityError: The detector cannot localize at another threshold.
        ConfigError: No clip could reach the threshold.
    """
    choose = getattr(detector, "with_threshold", None)
    if choose is None:
        raise CapabilityError(
            "this detector cannot localize at another threshold, so its segments would not fit "
            "its verdicts; leave out the threshold",
            capability="with_threshold",
        )
    chosen: Detector = choose(probability)
    return chosen


def require_option(detector: Detector, name: str) -> None:
    """Require that a detector heeds an option of ``detect``.

    Args:
        detector: Lists the options that it heeds in ``info["options"]``.
        name: The option, such as ``trim_silence``.

    Raises:
        CapabilityError: It does not list the option.
    """
    if name not in detector.info.get("options", ()):
        raise CapabilityError(
            f"this detector does not say that it heeds {name}; leave that out", capability=name
        )


def with_ignored_options(report: "Report", options: Collection[str]) -> "Report":
    """Return a report that warns of options that the detector did not know.

    Args:
        report: The report.
        options: Their names; there may be none.
    """
    if not options:
        return report
    warning = f"options that are not known were ignored: {', '.join(options)}"
    return report.model_copy(update={"warnings": (*report.warnings, warning)})
