"""Tables 2 to 7 of the paper as reported, and the values in them that contradict one another.

They are shown beside ours and are never a target: several cannot be right as printed. What
contradicts itself by arithmetic is found by rule, what only a reader can see is listed; either
way the figure carries its reason, in one sentence.

Source:
    Katamneni & Rattani, "Contextual Cross-Modal Attention for Audio-Visual Deepfake Detection
    and Localization", IJCB 2024, arXiv 2408.01532v2, tables 2-7.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

#: The measures of tables 2, 3, 6 and 7, in the paper's order.
DETECTION = (
    "auc",
    "partial_auc",
    "eer",
    "accuracy",
    "true_positive_rate",
    "false_positive_rate",
)
#: Those of table 4.
COMPARISON = ("auc", "accuracy")
#: Those of table 5; the paper prints them in percent, here they are shares like all others.
LOCALIZATION = ("ap@0.5", "ap@0.75", "ap@0.95", "ar@10", "ar@20", "ar@50", "ar@100")

#: The paper rounds to three digits; what differs by no more than this may still agree.
_ROUNDING = 0.001

ACCURACY_OUTSIDE = (
    "accuracy must lie between the true-positive rate and one minus the false-positive rate, "
    "and does not: it was taken at another threshold"
)
EER_UNREACHABLE = (
    "no ROC curve passes through both this equal error rate and the row's rates of true and "
    "false positives"
)
RECALL_FALLS = (
    "average recall cannot fall as proposals are added, so this cell or its neighbour is wrong"
)
NOT_THIS_TABLES = (
    "this row repeats table 6's row of MMUS-SA, not that of MMMS-BA, which it should be"
)
TEXT_DISAGREES = "the paper's text gives .893, which is this row's true-positive rate"
REVERSED = (
    "the row falls with the number of proposals and is close to BA-TFD's on LAV-DF, read from "
    "right to left"
)
COPIED_CELL = "UMMAFormer's own figure on this benchmark is 44.07; 48.86 is that of BA-TFD+"
TRAINED_ON_WHAT = (
    "the text says that the network was trained on AV-Deepfake1M, yet it does better here than "
    "there; what it was trained on is not known"
)
OTHER_TEST = (
    "the reported figures are copied from the benchmark, which measures on the official test "
    "split; MMMS-BA was measured on the validation split"
)
IN_DOMAIN = (
    "the reported figures are of a network trained on this dataset; MMMS-BA is said to have been "
    "trained on AV-Deepfake1M"
)
MISSING_ROW = (
    "the paper leaves out UMMAFormer on LAV-DF, which reports AP 98.83, 95.54 and 37.61 and "
    "AR@10 92.10, more than MMMS-BA in three of four"
)
VISUAL_ONLY = (
    "the paper calls TVIL audio-visual; it is inpainting, in frames alone, often without a face"
)


@dataclass(frozen=True, slots=True)
class Reported:
    """A figure of the paper.

    Attributes:
        value: A share, in [0, 1].
        marks: Why it may not be relied on, a sentence each.
    """

    value: float
    marks: tuple[str, ...] = ()


Cells = Mapping[str, Reported]


@dataclass(frozen=True, slots=True)
class ReportedRow:
    """A row of one of the paper's tables.

    Attributes:
        test: The dataset it was measured on.
        method: As the paper calls it, or the modalities in table 7.
        cells: What it reports, by measure; a dash in the paper is no cell.
        notes: What keeps the whole row from being compared, a sentence each.
    """

    test: str
    method: str
    cells: Cells
    notes: tuple[str, ...] = ()


def _marked(cells: Cells, names: Collection[str], reason: str) -> Cells:
    return {
        name: replace(cell, marks=(*cell.marks, reason)) if name in names else cell
        for name, cell in cells.items()
    }


def _checked(cells: Cells) -> Cells:
    """Return cells with a mark on each that contradicts others of its row."""
    row = {name: cell.value for name, cell in cells.items()}
    if {"accuracy", "true_positive_rate", "false_positive_rate"} <= row.keys():
        # Accuracy is a mean of both classes', however they are weighed.
        low, high = sorted((row["true_positive_rate"], 1 - row["false_positive_rate"]))
        if not low - _ROUNDING <= row["accuracy"] <= high + _ROUNDING:
            cells = _marked(cells, ("accuracy",), ACCURACY_OUTSIDE)
        # At the EER false positives are as many as misses; to its right, no fewer fakes can be
        # found, to its left no more.
        to_the_right = row["false_positive_rate"] - row["eer"]
        higher = row["true_positive_rate"] - (1 - row["eer"])
        too_low, too_high = higher < -_ROUNDING, higher > _ROUNDING
        if (to_the_right >= 0 and too_low) or (to_the_right <= 0 and too_high):
            cells = _marked(cells, ("eer",), EER_UNREACHABLE)
    recalls = [name for name in LOCALIZATION if name.startswith("ar@") and name in row]
    falls = [pair for pair in pairwise(recalls) if row[pair[0]] > row[pair[1]]]
    return _marked(cells, {name for pair in falls for name in pair}, RECALL_FALLS)


def _read(metrics: Sequence[str], text: str, *, unit: float = 1.0) -> tuple[ReportedRow, ...]:
    """Return rows that are written as ``test | method | figures``, a dash for none."""
    rows = []
    for line in text.strip().splitlines():
        test, method, values_text = (column.strip() for column in line.split("|"))
        value_of_metric = zip(metrics, values_text.split(), strict=True)
        # Six digits: 62.75 percent are 0.6275, not 0.6275000000000001.
        cells = {
            name: Reported(round(float(f) * unit, 6)) for name, f in value_of_metric if f != "-"
        }
        rows.append(ReportedRow(test, method, _checked(cells)))
    return tuple(rows)


def _with_mark(
    rows: Iterable[ReportedRow],
    reason: str,
    *,
    names: Sequence[str],
    where: Callable[[ReportedRow], bool],
) -> tuple[ReportedRow, ...]:
    return tuple(
        replace(row, cells=_marked(row.cells, names, reason)) if where(row) else row for row in rows
    )


TABLE_2 = _with_mark(
    _read(
        DETECTION,
        """
        fakeavceleb   | MMMS-BA | .989 .977 .029 .979 .965 .039
        av-deepfake1m | MMMS-BA | .909 .884 .178 .821 .893 .249
        lav-df        | MMMS-BA | .958 .938 .078 .932 .912 .081
        tvil          | MMMS-BA | .942 .920 .126 .947 .927 .093
        """,
    ),
    TEXT_DISAGREES,
    names=("accuracy",),
    where=lambda row: row.test == "av-deepfake1m",
)

TABLE_3 = _read(
    DETECTION,
    """
    av-deepfake1m | MMMS-BA | .979 .962 .051 .968 .954 .062
    fakeavceleb   | MMMS-BA | .955 .935 .088 .947 .938 .108
    lav-df        | MMMS-BA | .968 .952 .068 .956 .941 .074
    tvil          | MMMS-BA | .932 .912 .118 .913 .890 .145
    """,
)

TABLE_4 = _read(
    COMPARISON,
    """
    fakeavceleb | MIS-AVoiDD                 | .973 .962
    fakeavceleb | Unsupervised multimodal    | .968 -
    fakeavceleb | AV person-of-interest      | .946 .850
    fakeavceleb | AV anomaly detection       | .942 .945
    fakeavceleb | MCL                        | .978 .965
    fakeavceleb | PVAS(S)-MDD                | .965 .948
    fakeavceleb | Novel Smart DD             | .954 .960
    fakeavceleb | Multimodaltrace            | .929 -
    fakeavceleb | Hearing-and-seeing         | .944 -
    fakeavceleb | NPVForensics               | .925 -
    fakeavceleb | MMMS-BA                    | .989 .979
    """,
)

_TABLE_5 = _read(
    LOCALIZATION,
    """
    av-deepfake1m | Enc-Dec      |  6.23   .08   .00 11.45 15.79 23.75 31.71
    av-deepfake1m | ActionFormer | 36.08 12.01   .16 26.60 27.00 27.11 -
    av-deepfake1m | BA-TFD+      | 44.42 13.64   .03 34.67 40.37 48.86 -
    av-deepfake1m | UMMAFormer   | 51.64 28.07  1.58 42.09 43.45 48.86 -
    av-deepfake1m | MMMS-BA      | 62.75 35.87 18.37 54.28 55.94 57.49 59.66
    lav-df        | Enc-Dec      | 12.96   .97   .00 18.79 21.67 30.54 38.12
    lav-df        | ActionFormer | 85.23 59.05   .93 76.93 77.19 77.23 77.23
    lav-df        | BA-TFD+      | 96.30 84.96  4.44 78.75 79.40 80.48 81.62
    lav-df        | MMMS-BA      | 97.56 95.25 39.02 89.42 95.93 93.45 94.05
    tvil          | Enc-Dec      | 23.08  8.45  5.32 17.16 23.47 43.98 45.18
    tvil          | ActionFormer | 86.27 83.03 28.17 84.82 85.77 88.10 88.49
    tvil          | BA-TFD+      | 76.90 38.50   .25 66.90 64.08 60.77 58.42
    tvil          | UMMAFormer   | 88.68 84.70 62.43 87.09 88.21 90.43 91.16
    tvil          | MMMS-BA      | 96.87 81.33 28.43 88.61 87.83 90.47 92.91
    """,
    unit=0.01,
)
_COPIED = frozenset({"ActionFormer", "BA-TFD+", "UMMAFormer"})


def _with_notes(row: ReportedRow) -> ReportedRow:
    """Return a row of table 5 with what keeps it from being compared with the others."""
    copied = row.method in _COPIED
    if row.test == "av-deepfake1m":
        return replace(row, notes=(OTHER_TEST,)) if copied else row
    return replace(row, notes=(IN_DOMAIN if copied else TRAINED_ON_WHAT,))


TABLE_5 = tuple(
    map(
        _with_notes,
        _with_mark(
            _with_mark(
                _TABLE_5,
                REVERSED,
                names=LOCALIZATION,
                where=lambda row: (row.test, row.method) == ("tvil", "BA-TFD+"),
            ),
            COPIED_CELL,
            names=("ar@50",),
            where=lambda row: (row.test, row.method) == ("av-deepfake1m", "UMMAFormer"),
        ),
    )
)

TABLE_6 = _read(
    DETECTION,
    """
    fakeavceleb | MMUS-SA | .989 .978 .033 .979 .963 .039
    fakeavceleb | MS-SA   | .977 .956 .045 .965 .943 .051
    fakeavceleb | MMMS-BA | .989 .977 .029 .979 .965 .039
    """,
)

TABLE_7 = _with_mark(
    _read(
        DETECTION,
        """
        fakeavceleb | V+A   | .955 .941 .074 .939 .922 .095
        fakeavceleb | V+L   | .814 .798 .263 .736 .818 .345
        fakeavceleb | L+A   | .924 .907 .175 .823 .931 .282
        fakeavceleb | V+L+A | .989 .978 .033 .979 .963 .039
        """,
    ),
    NOT_THIS_TABLES,
    names=("partial_auc", "eer", "true_positive_rate"),
    where=lambda row: row.method == "V+L+A",
)
