"""Appearance of our fields in the App: what they mean, which are shown, and their colors.

Colors are those of the panels in the dark theme (``panel/src/styles.ts``), chosen so that people
with any kind of color blindness tell them apart.
"""

from collections.abc import Mapping
from typing import Any, Final

import fiftyone as fo

from .labels import (
    FAKE,
    LABELS,
    TRUTH_FIELD,
    VERDICTS,
    WITHOUT_SCORE,
    Fields,
    opt_out_label,
)
from .records import FINISHED, WITHOUT_TRUTH
from .store import writing_to

_FAKE: Final = "#ff9a45"
_NOT_FLAGGED: Final = "#6cbcf5"
_REVIEWED: Final = "#c080ff"
_TRUTH: Final = "#b7c2cd"
_NOT_EVALUATED: Final = "#78828d"

#: What the App says of each field.
_DESCRIPTIONS: Final[Mapping[str, str]] = {
    "segments": "Segments that the detector calls fake, by manipulated modality",
    "verdict": "fake: the score reaches the threshold; not flagged: it does not, which is no "
    "proof that the clip is real; abstained, error: not evaluated, with the reason",
    "opt_outs": "Where a modality could not be evaluated; these are no segments that are fake",
    "curves": "Scores along time",
    "proposals": "Ranked candidates: start and end in seconds, score",
    "reviewed": "Segments that a person confirmed, changed or added",
    "review": "Whether a person has decided about the clip, who and when",
}
#: Color of each field.
_COLORS: Final[Mapping[str, str]] = {
    "segments": _FAKE,
    "verdict": _NOT_FLAGGED,
    "opt_outs": _NOT_EVALUATED,
    "reviewed": _REVIEWED,
    "review": _REVIEWED,
}
#: Labels of each field with a color of their own, where values are told apart by color.
_VALUES: Final[Mapping[str, Mapping[str, str]]] = {
    "segments": dict.fromkeys(LABELS, _FAKE),
    "verdict": {
        **dict.fromkeys(VERDICTS, _NOT_FLAGGED),
        "fake": _FAKE,
        **dict.fromkeys(WITHOUT_SCORE, _NOT_EVALUATED),
    },
    "opt_outs": {opt_out_label(modality): _NOT_EVALUATED for modality in ("audio", "face", "lips")},
    "reviewed": dict.fromkeys(LABELS, _REVIEWED),
    "review": {
        **dict.fromkeys(("open", *WITHOUT_TRUTH.values()), _NOT_EVALUATED),
        **dict.fromkeys(FINISHED.values(), _REVIEWED),
    },
}


def set_appearance(dataset: Any, fields: Fields) -> None:
    """Describe the fields in the App, which shows opt-outs apart and only on request.

    What somebody set up in the App stays: only fields that nothing is known of are added. Values
    are told apart by color only where the dataset had no color scheme of its own.

    Args:
        dataset: The dataset.
        fields: Fields of a run, declared.

    Raises:
        WriteError: The database does not take it.
    """
    with writing_to(dataset):
        for name, text in _DESCRIPTIONS.items():
            field = dataset.get_field(getattr(fields, name))
            if field is not None and not field.description:
                field.description = text
                field.save()
        config = dataset.app_config
        config.color_scheme = config.color_scheme or fo.ColorScheme(color_by="value")
        paths = [field["path"] for field in config.color_scheme.fields or []]
        if config.active_fields is None:
            # As the App has it by itself; a list of what is excluded would show all else.
            active = fo.DatasetAppConfig.default_active_fields(dataset)
            active.paths = [path for path in active.paths if path != fields.opt_outs]
            config.active_fields = active
        elif (
            fields.segments not in paths
            and not config.active_fields.exclude
            and set(paths) & set(config.active_fields.paths)
        ):
            # Where a run is shown, so is the next one.
            config.active_fields.paths += [fields.segments, fields.verdict]
        schemes = [_scheme(getattr(fields, name), _COLORS[name], _VALUES[name]) for name in _COLORS]
        if dataset.has_field(TRUTH_FIELD):
            schemes.append(_scheme(TRUTH_FIELD, _TRUTH, dict.fromkeys((*LABELS, FAKE), _TRUTH)))
        config.color_scheme.fields = [
            *(config.color_scheme.fields or []),
            *(scheme for scheme in schemes if scheme["path"] not in paths),
        ]
        dataset.save()


def _scheme(path: str, color: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Build what the App is told of the colors of a field."""
    return {
        "path": path,
        "fieldColor": color,
        "colorByAttribute": "label",
        "valueColors": [{"value": value, "color": color} for value, color in values.items()],
    }
