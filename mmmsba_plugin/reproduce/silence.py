"""Leading silence of the clips of a dataset, kept clip by clip.

That alone tells fake clips from real ones in some datasets, so what it would score belongs
beside every table.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.silence import leading_silence_s
from mmmsba_plugin.record import Record
from mmmsba_plugin.reproduce import journal

#: Clips that are listened to at a time, for each worker.
_AHEAD = 4

_Length = float | None


def leading_silences(
    records: Sequence[Record],
    path: Path,
    *,
    workers: int = 1,
    on_clip: Callable[[str], None] = lambda _: None,
) -> dict[str, _Length]:
    """Measure the leading silence of each clip, in seconds, by its name.

    None is a clip without audio. One whose file is not there or cannot be read is left out, and
    tried again in the next run.

    Args:
        records: The clips.
        path: Where lengths are kept; its folder is made if it is not there.
        workers: Clips that are listened to at a time.
        on_clip: Called after each clip that is listened to now.

    Raises:
        DatasetError: The file of lengths is damaged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lengths = journal.read(path, _length_s)
    missing = [r for r in records if r.name not in lengths and r.media.is_file()]
    with path.open("a", encoding="utf-8") as stream:
        for name, length_s in _listened(missing, workers, on_clip):
            journal.write(stream, name, {"silence_s": length_s})
            lengths[name] = length_s
    return {r.name: lengths[r.name] for r in records if r.name in lengths}


def _length_s(entry: Mapping[str, Any]) -> _Length:
    return None if entry["silence_s"] is None else float(entry["silence_s"])


def _listened(
    records: Sequence[Record], workers: int, on_clip: Callable[[str], None]
) -> Iterator[tuple[str, _Length]]:
    rest = iter(records)
    with ThreadPoolExecutor(workers) as pool:
        # Not all at once: a run that is interrupted would have to wait for them.
        while ahead := list(islice(rest, workers * _AHEAD)):
            listening = [pool.submit(_silence_s, record.media) for record in ahead]
            for record, future in zip(ahead, listening, strict=True):
                # Whoever judges the clip says what is wrong with it.
                with suppress(MmmsbaError):
                    yield record.name, future.result()
                on_clip(record.name)


def _silence_s(clip: Path) -> _Length:
    return leading_silence_s(probe(clip))
