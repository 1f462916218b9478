"""Transcripts with word times: what was said in a clip, from a file that lies beside it.

A transcript of ``clip.mp4`` is ``clip.json`` (WhisperX, or Whisper with word times), ``clip.ctm``
(NIST), ``clip.vtt`` (WebVTT) or ``clip.srt`` (SubRip), in this order: the first two state the
times of words. A cue of subtitles states only its own, unless it has WebVTT's time stamps inside;
its words then share its time by their letters, which is an estimate.

Our own reports can have the same names. They are told by their caution, and are no transcripts.
"""

import html
import json
import logging
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from mmmsba_plugin.schema import TimeSpan
from mmmsba_plugin.segment import Segment, overlap_s

#: Far above what is said in a day; larger files are not read.
_MAX_BYTES: Final = 2**25
#: Words of a segment that its name shows.
MAX_WORDS: Final = 12
#: A word belongs to a segment that shares this much with the shorter of the two.
_MIN_SHARE: Final = 0.5

#: What our own reports say of themselves, as subtitles too.
_OWN_REPORT: Final = "ndication by a statistical model, not evidence for a court"
_CLOCK: Final = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{2})[.,](\d{3})"
_CLOCK_PARTS: Final = 4
_CUE: Final = re.compile(rf"^[ \t]*{_CLOCK}[ \t]+-->[ \t]+{_CLOCK}[^\n]*$", re.MULTILINE)
_STAMP: Final = re.compile(rf"<{_CLOCK}>")
#: Fields of a row of CTM without its confidence.
_CTM_FIELDS: Final = 5
_TAG: Final = re.compile(r"<[^>]*>|\{\\[^}]*\}")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word.

    Attributes:
        text: The word, with its punctuation.
        start_s: Its start from the clip's zero, in seconds.
        end_s: Its end, in seconds.
        confidence: What the recogniser or the alignment states of it, in [0, 1]; None if nothing.
    """

    text: str
    start_s: float
    end_s: float
    confidence: float | None = None


def read_transcript(media: str | Path, *, folder: Path | None = None) -> tuple[Word, ...]:
    """Read the words of a clip from the transcript beside it.

    Args:
        media: The clip, which need not be there itself.
        folder: Folder with the transcript; the clip's own if not given.

    Returns:
        Words in order of their start; none where there is no transcript.
    """
    clip = Path(media)
    for suffix, parse in PARSERS.items():
        path = (folder or clip.parent) / f"{clip.stem}{suffix}"
        if words := _read(path, parse):
            return words
    return ()


def _read(path: Path, parse: Callable[[str], Iterable[Word]]) -> tuple[Word, ...]:
    """Read a transcript; whatever else has its name costs nobody a clip."""
    try:
        if not path.is_file() or path.stat().st_size > _MAX_BYTES:
            return ()
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except (OSError, ValueError) as error:
        # A name can hold what no path may.
        _log.warning("the transcript %s cannot be read: %s", path, error)
        return ()
    if _OWN_REPORT in text:
        return ()
    words = (word for word in parse(text) if 0 <= word.start_s < word.end_s < math.inf)
    return tuple(sorted(words, key=lambda word: (word.start_s, word.end_s)))


def parse_subtitles(text: str) -> Iterator[Word]:
    """Parse SubRip or WebVTT.

    Where some lines have time stamps inside, those without repeat what was shown before, as in
    rolling captions, and are left out.

    Source:
        W3C WebVTT, sections 4.1 and 4.2.2. SubRip has no standard; both share the form of cues.
    """
    cues = []
    for block in text.split("\n\n"):
        if match := _CUE.search(block):
            clocks = match.groups()
            start_s, end_s = _seconds(clocks[:_CLOCK_PARTS]), _seconds(clocks[_CLOCK_PARTS:])
            cues.append((start_s, end_s, block[match.end() :].splitlines()))
    has_stamps = any(_STAMP.search(line) for _, _, lines in cues for line in lines)
    for start_s, end_s, lines in cues:
        if not has_stamps:
            yield from _spread(_without_markup(" ".join(lines)), start_s, end_s)
            continue
        for line in lines:
            if stamps_s := [_seconds(stamp.groups()) for stamp in _STAMP.finditer(line)]:
                spans_s = pairwise([start_s, *stamps_s, end_s])
                texts = _STAMP.split(line)[:: _CLOCK_PARTS + 1]
                for phrase, span_s in zip(texts, spans_s, strict=True):
                    yield from _spread(_without_markup(phrase), *span_s)


def _without_markup(text: str) -> str:
    """Return the text of a cue without its markup."""
    return html.unescape(_TAG.sub("", text))


def _seconds(clock: Iterable[str | None]) -> float:
    hours, minutes, seconds, milliseconds = (int(digits or 0) for digits in clock)
    return 3600 * hours + 60 * minutes + seconds + milliseconds / 1000


def _spread(text: str, start_s: float, end_s: float) -> Iterator[Word]:
    """Let the words of a text share its time by their letters."""
    words = text.split()
    per_letter_s = (end_s - start_s) / max(1, sum(map(len, words)))
    for word in words:
        end_s = start_s + per_letter_s * len(word)
        yield Word(word, start_s, end_s)
        start_s = end_s


def parse_json(text: str) -> Iterator[Word]:
    """Parse what WhisperX writes, or Whisper with word times.

    A word that could not be aligned, such as a number, lies between its neighbours. A segment
    without words shares its time among those of its text.
    """
    try:
        transcript = json.loads(text)
    except (ValueError, RecursionError):
        return
    segments = transcript.get("segments") if isinstance(transcript, dict) else None
    for segment in segments if isinstance(segments, list) else ():
        if not isinstance(segment, dict) or not isinstance(segment.get("text"), str):
            continue
        if words := segment.get("words"):
            yield from _aligned(words, _number(segment, "end"))
        elif (span := _span(segment)) is not None:
            yield from _spread(segment["text"], *span)


def _aligned(words: Any, end_s: float | None) -> Iterator[Word]:  # noqa: ANN401 - parsed JSON
    """Yield words with their times; those without lie between their neighbours."""
    waiting: list[str] = []
    reached_s: float | None = None
    for word in words if isinstance(words, list) else ():
        if not isinstance(word, dict) or not isinstance(text := word.get("word"), str):
            continue
        if (span := _span(word)) is None:
            waiting.append(text)
            continue
        if reached_s is not None:
            yield from _spread(" ".join(waiting), reached_s, span[0])
        confidence = _number(word, "score", "probability")
        yield Word(text.strip(), *span, confidence)
        waiting, reached_s = [], span[1]
    if reached_s is not None and end_s is not None:
        yield from _spread(" ".join(waiting), reached_s, end_s)


def _span(item: Mapping[str, Any]) -> tuple[float, float] | None:
    start_s, end_s = _number(item, "start"), _number(item, "end")
    return None if start_s is None or end_s is None else (start_s, end_s)


def _number(item: Mapping[str, Any], *keys: str) -> float | None:
    """Return the first of some keys that holds a number."""
    return next((float(item[k]) for k in keys if isinstance(item.get(k), int | float)), None)


def parse_ctm(text: str) -> Iterator[Word]:
    """Parse NIST's CTM: recording, channel, start, duration, word, and perhaps its confidence.

    Source:
        NIST, "KWS15 evaluation plan", appendix on CTM.
    """
    for line in text.splitlines():
        fields = line.split()
        if line.startswith(";;") or len(fields) < _CTM_FIELDS:
            continue
        try:
            start_s, duration_s, *confidence = map(float, (*fields[2:4], *fields[5:6]))
        except ValueError:
            continue
        yield Word(fields[4], start_s, start_s + duration_s, next(iter(confidence), None))


#: The parser of each suffix, in the order in which they are looked for.
PARSERS: Final[Mapping[str, Callable[[str], Iterable[Word]]]] = {
    ".json": parse_json,
    ".ctm": parse_ctm,
    ".vtt": parse_subtitles,
    ".srt": parse_subtitles,
}


def words_in(words: Iterable[Word], span: Segment | TimeSpan) -> str | None:
    """Return the words of a span of time as its name; None where there are none.

    A word is in it if they share half of the shorter of the two. Of many words, the first are
    shown.

    Example:
        >>> words = [Word("we", 0.0, 0.4), Word("do", 0.5, 0.9), Word("not", 1.0, 1.4)]
        >>> words_in(words, Segment(0.45, 1.3))
        'do not'
    """
    segment = Segment(span.start_s, span.end_s)
    texts = []
    for word in words:
        spoken = Segment(word.start_s, word.end_s)
        shortest_s = min(spoken.duration_s, segment.duration_s)
        if overlap_s(spoken, segment) >= _MIN_SHARE * shortest_s:
            texts.append(word.text)
    if len(texts) > MAX_WORDS:
        texts = [*texts[:MAX_WORDS], "…"]
    return " ".join(texts) or None
