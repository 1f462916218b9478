"""Made-up transcripts, in each of the formats that are read."""

import json
from pathlib import Path

from mmmsba_plugin.timebase import vtt_clock

Cue = tuple[float, float, str]


def _put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def put_srt(path: Path, *cues: Cue) -> Path:
    """Write SubRip."""
    blocks = [
        f"{number}\n{vtt_clock(start_s)} --> {vtt_clock(end_s)}\n{text}\n".replace(".", ",")
        for number, (start_s, end_s, text) in enumerate(cues, start=1)
    ]
    return _put(path, "\n".join(blocks))


def put_whisperx(path: Path, *words: Cue, score: float = 0.9) -> Path:
    """Write what WhisperX does, all words in one segment."""
    aligned = [{"word": word, "start": s, "end": e, "score": score} for s, e, word in words]
    segment = {
        "start": words[0][0],
        "end": words[-1][1],
        "text": " ".join(word for _, _, word in words),
        "words": aligned,
    }
    return _put(path, json.dumps({"segments": [segment], "word_segments": aligned}))


def put_ctm(path: Path, *words: Cue) -> Path:
    """Write NIST's CTM."""
    rows = [f"clip 1 {start_s} {end_s - start_s:.3f} {word}\n" for start_s, end_s, word in words]
    return _put(path, ";; made up\n" + "".join(rows))
