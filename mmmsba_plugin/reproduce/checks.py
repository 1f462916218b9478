"""Plan of the tables that the paper does not have: what it names as next checks, as data.

All but the one across datasets are tested where the paper's ablations are, on FakeAVCeleb. They
take up the training runs of the paper's tables.
"""

from dataclasses import replace
from typing import Any

from mmmsba_plugin.config import PRESET_DEFAULTS, PRESETS
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.reproduce.datasets import TITLES
from mmmsba_plugin.reproduce.missing import COMPLETE, Missing
from mmmsba_plugin.reproduce.plan import (
    BALANCED,
    ENC_DEC,
    MMMS_BA,
    TABLES,
    Changes,
    Method,
    Row,
    Table,
    Training,
)
from mmmsba_plugin.reproduce.tables import DETECTION, VISUAL_ONLY

_AUDIO, _FACES = ("audio",), ("face", "lips")

#: Training as the paper has it, whatever the settings of all runs say.
_NEVER_HIDDEN: Changes = (("modality_dropout", 0.0), ("labels_of", "clip"))
_HIDDEN: Changes = (("modality_dropout", 0.3), ("labels_of", "present"))

_TESTS = {
    "": COMPLETE,
    ", tested without audio": Missing((_AUDIO,)),
    ", tested without faces": Missing((_FACES,)),
    ", tested with half of both": Missing((_AUDIO, _FACES), share=0.5),
}

TRUTH_NOTE = (
    "a clip keeps its ground truth whatever is missing, so one whose missing modality alone is "
    "fake cannot be told from a real one"
)
HIDDEN_NOTE = (
    "modalities hidden: in training each modality of a clip is hidden with probability 0.3, and "
    "the truth of what is left is taught"
)
HALF_NOTE = (
    "half of both: audio is missing in a random half of each clip, faces in another; where both "
    "are missing, nothing is scored"
)
POLICY_NOTE = (
    "where a modality is missing, the detector gives the network zeros for it and scores by what "
    "is present; a clip with nothing left is not evaluated"
)


def _check(method: Method, name: str = "", **settings: Any) -> Row:
    """Return a row of a method on FakeAVCeleb, which the paper does not have."""
    row = Row(name or method.name, "fakeavceleb", Training("fakeavceleb", method), {})
    return replace(row, **settings)


def _missing_rows() -> tuple[Row, ...]:
    """Return the rows of the table on missing modalities.

    What is lost at test is counted from complete clips; what training with modalities hidden, or
    without them, is worth, from the paper's network under the same test.
    """
    paper = Method("MMMS-BA", train=_NEVER_HIDDEN)
    complete = _check(paper)
    of_paper = [
        _check(
            paper,
            f"{paper.name}{words}",
            missing=missing,
            baseline=None if missing == COMPLETE else complete,
        )
        for words, missing in _TESTS.items()
    ]
    hidden = replace(paper, name="trained with modalities hidden", train=_HIDDEN)
    of_hidden = [
        _check(hidden, f"{hidden.name}{words}", missing=row.missing, baseline=row)
        for words, row in zip(_TESTS, of_paper, strict=True)
    ]
    without = [
        _check(replace(paper, name=name, modalities=modalities), missing=row.missing, baseline=row)
        for name, modalities, row in (
            ("trained and tested without audio", _FACES, of_paper[1]),
            ("trained and tested without faces", _AUDIO, of_paper[2]),
        )
    ]
    return (*of_paper, *of_hidden, *without)


#: The whole network, which others are compared with.
_OURS = _check(MMMS_BA)
_INCOMPLETE = (
    Method("without Bi-GRU", network=(("recurrent", False),)),
    Method("without dense layer", network=(("dense", False),)),
    Method("without attention", attention="none"),
    Method("without gate", network=(("gate", False),)),
    Method("without residual", network=(("residual", False),)),
)

COMPONENTS_NOTE = (
    "without the Bi-GRU only attention reaches beyond a snippet; without the dense layer the "
    "states of the Bi-GRU are attended; without the gate what attention finds is not multiplied by "
    "the modality that asks; without the residual the heads read attended blocks alone"
)
SIZE_NOTE = "the networks differ in their number of weights; none is made larger to make up for it"


#: Other systems, on the same features, and their presets.
_SYSTEMS = {
    "FPN-Transformer": "fpn-transformer",
    "explicit correlation": "correlation",
    "DiMoDif-style": "dimodif",
}

#: It scores words: of the transcript where the settings have a front-end of text, or else between
#: pauses and minima of the level.
_WAFL = Method(
    "WAFL-style",
    attention="none",
    modalities=(*MMMS_BA.modalities, "text"),
    network=tuple(PRESETS["wafl"].items()),
    loss=tuple(PRESET_DEFAULTS["wafl"]["train"]["loss"].items()),
    front_ends=(("text", "pseudo-words"),),
)

SYSTEMS_NOTE = (
    "all systems are told the same features, Enc-Dec of face and audio alone, as in the paper, and "
    "WAFL where words begin as well; FPN-Transformer (arXiv 2511.08031), DiMoDif (2411.10193) and "
    "WAFL (2603.06220), which has a loss of its own, are rebuilt from their abstracts, explicit "
    "correlation (2404.19171) from its published code but without the recognisers that teach it, "
    "and what they leave open is ours, so no figure is one of their authors'"
)


def _system_rows() -> tuple[Row, ...]:
    """Return the rows of the table of systems, compared with MMMS-BA."""
    others = [
        Method(name, attention="none", network=tuple(PRESETS[preset].items()))
        for name, preset in _SYSTEMS.items()
    ]
    return (_OURS, *(_check(method, baseline=_OURS) for method in (ENC_DEC, *others, _WAFL)))


GAP_NOTE = (
    "generalisation gap: the difference, by which a network trained on another dataset exceeds, on "
    "the same test clips, the one trained on the dataset that is tested"
)


def _cross_rows() -> tuple[Row, ...]:
    """Return the rows of the table across datasets: each tested by the network of each."""
    rows = []
    for test in TITLES:
        of_dataset = (VISUAL_ONLY,) if test == "tvil" else ()
        own = Row(MMMS_BA.name, test, Training(test, MMMS_BA), {}, of_dataset=of_dataset)
        others = (
            replace(own, training=Training(other, MMMS_BA), baseline=own)
            for other in TITLES
            if other != test
        )
        rows += [own, *others]
    return tuple(rows)


CHECKS = {
    table.name: table
    for table in (
        Table(
            "missing",
            "What is left where audio or faces are missing, on FakeAVCeleb",
            (*DETECTION, BALANCED),
            _missing_rows(),
            notes=(POLICY_NOTE, TRUTH_NOTE, HIDDEN_NOTE, HALF_NOTE),
        ),
        Table(
            "components",
            "What each component of the network adds, on FakeAVCeleb",
            (*DETECTION, BALANCED),
            (_OURS, *(_check(method, baseline=_OURS) for method in _INCOMPLETE)),
            notes=(COMPONENTS_NOTE, SIZE_NOTE),
        ),
        Table(
            "systems",
            "Other systems on the same features, on FakeAVCeleb",
            (*DETECTION, BALANCED),
            _system_rows(),
            notes=(SYSTEMS_NOTE,),
        ),
        Table(
            "cross",
            "Trained on one dataset, tested on every other",
            (*DETECTION, BALANCED),
            _cross_rows(),
            notes=(GAP_NOTE,),
        ),
    )
}


def table(name: str) -> Table:
    """Return a table of the paper, or of its next checks, by its name.

    Raises:
        ConfigError: There is none of that name.

    Example:
        >>> table("table6").title
        'What attention adds, on FakeAVCeleb'
    """
    planned = {**TABLES, **CHECKS}
    if name not in planned:
        raise ConfigError(f"there is no {name!r}; choose from {', '.join(planned)}")
    return planned[name]
