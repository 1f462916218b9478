"""Words that every report shares, and how untrusted names are shown.

A file's name is chosen by whoever made the file. It may hold line breaks that fake a row,
characters that turn the reading direction so that ``exe.4pm`` reads as ``mp4.exe``, or bytes
that are no text at all. A forensic report must show such a name as it is.
"""

import unicodedata

from mmmsba_plugin.schema import FaceTrackReport, ManipulatedModality, Report
from mmmsba_plugin.timebase import clock

#: What was altered, in a reader's words.
ALTERED: dict[ManipulatedModality | None, str] = {
    "audio": "audio",
    "visual": "video",
    "both": "video and audio",
    None: "not told apart",
}

#: Whether a face speaks, in a reader's words.
SPEAKS = {True: "speaks", False: "does not speak", None: "not known whether it speaks"}

#: Unicode categories of what cannot be seen: controls, directions, lone surrogates, line ends.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    r"""Return text on one line, with characters that cannot be seen as escapes.

    Example:
        >>> visible("a\nb\u202egpj.exe")
        'a\\nb\\u202egpj.exe'
    """
    return "".join(
        c.encode("unicode_escape").decode("ascii") if unicodedata.category(c) in _UNSEEN else c
        for c in text
    )


def percent(score: float) -> str:
    """Return a score as whole percents; never 0 or 100 unless it is exactly that.

    Example:
        >>> percent(0.874), percent(0.999), percent(1.0)
        ('87 %', '99 %', '100 %')
    """
    whole = round(score * 100)
    if 0.0 < score < 1.0:
        whole = min(99, max(1, whole))
    return f"{whole} %"


def count_of_real(share: float) -> str:
    """Format the number of real clips of 100 that score as high, with its verb.

    Example:
        >>> count_of_real(0.214), count_of_real(0.001)
        ('21 score', 'less than one scores')
    """
    num = round(100 * share)
    return {0: "less than one scores", 1: "one scores"}.get(num, f"{num} score")


def describe_face_track(track: FaceTrackReport) -> str:
    """Describe a face track in a few words: when it is seen, whether it speaks, and its score.

    Example:
        >>> describe_face_track(
        ...     FaceTrackReport(
        ...         start_s=1, end_s=9, track=2, share=0.4, box_time_s=5, box_xywh=(0, 0, 1, 1),
        ...         speaks=False, score=0.25,
        ...     )
        ... )
        'face 2: 0:01.00 to 0:09.00, 40 % of frames, does not speak, score 0.250'
    """
    score = "not evaluated" if track.score is None else f"score {track.score:.3f}"
    span = f"{clock(track.start_s)} to {clock(track.end_s)}"
    speaks = SPEAKS[track.speaks]
    return f"face {track.track}: {span}, {percent(track.share)} of frames, {speaks}, {score}"


def verdict(report: Report) -> str:
    """Return in a few words what the report says."""
    if report.status == "error":
        return "Could not be evaluated"
    if report.status == "abstained":
        return "Nothing to judge"
    if report.fake is None:
        return "Scored, without a verdict"
    return "Flagged as fake" if report.fake else "Not flagged as fake"
