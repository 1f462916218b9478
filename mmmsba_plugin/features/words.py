"""Front-end ``words``: what is said, from a transcript with word times beside the clip.

Text is the fourth sequence that the paper leaves to later work. No pretrained weights are used:
a word is the hash of its letters, and what a manipulation shows in is mostly its timing: a word
said faster than its neighbours, a pause where none belongs, a word that its recogniser doubted.
"""

import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.media.transcript import Word, read_transcript
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import AudioBlock, FaceCrop, FeatureRows, Frame
from mmmsba_plugin.timebase import Grid

#: Numbers of a row in front of the hash, and where two of them stand; see :class:`Words`.
NUM_TIMES: Final = 12
SPOKEN: Final = 0
BEGINS: Final = 1
#: A longer pause says no more, in seconds.
_MAX_PAUSE_S: Final = 2.0
#: Words that begin so near the middle of a snippet count to its rate, in seconds.
_RATE_WITHIN_S: Final = 1.0
_LETTERS_A_PIECE: Final = 3


class WordsConfig(Config):
    """Settings of the ``words`` front-end."""

    folder: Path | None = Field(
        default=None, description="Folder with the transcripts; that of each clip if not given."
    )
    num_hashes: int = Field(
        default=32, ge=1, le=4096, description="Numbers that the letters of a word are hashed into."
    )


class Words:
    """Reads the transcript of a clip, and puts its words onto the grid.

    A row is about the word that holds the middle of the cell. It has, in this order: whether
    there is one; how many words begin, and how many end in the cell; the word's length, in
    seconds, and in letters; how much longer a letter lasts than is usual in the clip, as a
    logarithm; the time since the word's start and to its end; in a pause, the time since the last
    word and to the next, at most two seconds; words a second around; and the confidence that
    the transcript states of the word, 0 if none. Then come the hashes of its letters, of length
    one. All are zeros where they do not apply.

    A clip without a transcript has no rows present.
    """

    def __init__(self, config: WordsConfig) -> None:
        self._config = config

    @property
    def dim(self) -> int:
        """Length of one vector."""
        return NUM_TIMES + self._config.num_hashes

    def start(self, media: Media, grid: Grid) -> None:
        """Begin a clip whose rows shall lie on ``grid``."""
        self._words = read_transcript(media.path, folder=self._config.folder)
        self._grid = grid

    def add(self, observation: AudioBlock | FaceCrop | Frame) -> None:
        """Take in nothing: the words are written already."""

    def finish(self, num_snippets: int) -> FeatureRows:
        """Return the rows of the clip, shape ``(num_snippets, dim)``."""
        if not self._words:
            values = np.zeros((num_snippets, self.dim), dtype=np.float32)
            return FeatureRows(values, np.zeros(num_snippets, dtype=np.bool_))
        rows = word_rows(self._words, self._grid, num_snippets, num_hashes=self._config.num_hashes)
        return FeatureRows(rows, np.ones(num_snippets, dtype=np.bool_))


def word_rows(
    words: Sequence[Word], grid: Grid, num_snippets: int, *, num_hashes: int
) -> NDArray[np.float32]:
    """Compute the rows of words; see :class:`Words`.

    Args:
        words: At least one, in order of their start.
        grid: The cells.
        num_snippets: How many of them.
        num_hashes: Numbers that the letters of a word are hashed into.

    Returns:
        Shape ``(num_snippets, NUM_TIMES + num_hashes)``.
    """
    starts_s = np.array([word.start_s for word in words])
    ends_s = np.array([word.end_s for word in words])
    letters = np.array([len(_letters(word.text)) for word in words])
    centers_s = grid.centers_s(num_snippets)
    # The last word that has begun; where none has, it does not hold the middle either.
    index = np.maximum(np.searchsorted(starts_s, centers_s, side="right") - 1, 0)
    spoken = (starts_s[index] <= centers_s) & (centers_s < ends_s[index])
    lengths_s = ends_s - starts_s
    per_letter_s = lengths_s / np.maximum(letters, 1)
    slowness = np.log(per_letter_s / np.median(per_letter_s))
    confidence = np.clip([word.confidence or 0.0 for word in words], 0, 1)
    of_word = np.stack([lengths_s, letters, slowness, confidence], axis=1)[index]
    hashes = np.stack([letter_hashes(word.text, num_hashes) for word in words])[index]
    times = np.column_stack(
        [
            spoken,
            _count(starts_s, grid, num_snippets),
            _count(ends_s, grid, num_snippets),
            of_word[:, :3] * spoken[:, None],
            np.where(spoken, centers_s - starts_s[index], 0),
            np.where(spoken, ends_s[index] - centers_s, 0),
            *(np.where(spoken, 0, pause_s) for pause_s in _pauses_s(starts_s, ends_s, centers_s)),
            _rate_hz(starts_s, centers_s),
            of_word[:, 3] * spoken,
        ]
    )
    return np.concatenate([times, hashes * spoken[:, None]], axis=1).astype(np.float32)


def _count(times_s: NDArray[np.float64], grid: Grid, num_snippets: int) -> NDArray[np.int64]:
    """Count the times in each cell."""
    cells = grid.indices_at(times_s)
    return np.bincount(cells[(cells >= 0) & (cells < num_snippets)], minlength=num_snippets)


def _pauses_s(
    starts_s: NDArray[np.float64], ends_s: NDArray[np.float64], centers_s: NDArray[np.float64]
) -> Iterator[NDArray[np.float64]]:
    """Yield the time since the last end of a word, and to the next start, in seconds."""
    ends_s = np.sort(ends_s)
    before = np.concatenate([[-np.inf], ends_s])[np.searchsorted(ends_s, centers_s, side="right")]
    after = np.concatenate([starts_s, [np.inf]])[np.searchsorted(starts_s, centers_s)]
    yield np.minimum(centers_s - before, _MAX_PAUSE_S)
    yield np.minimum(after - centers_s, _MAX_PAUSE_S)


def _rate_hz(starts_s: NDArray[np.float64], centers_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the words a second that begin around each moment."""
    first = np.searchsorted(starts_s, centers_s - _RATE_WITHIN_S)
    stop = np.searchsorted(starts_s, centers_s + _RATE_WITHIN_S)
    return (stop - first) / (2 * _RATE_WITHIN_S)


@lru_cache(maxsize=4096)
def letter_hashes(word: str, num_hashes: int) -> NDArray[np.float64]:
    """Hash the pieces of a word into a vector of length one.

    Words that share most of their letters are near each other, in any language and script. Each
    piece of three letters adds plus or minus one to one number.

    Args:
        word: The word; case and punctuation do not count.
        num_hashes: Length of the vector.

    Returns:
        Shape ``(num_hashes,)``; zeros for punctuation alone.

    Source:
        Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009; pieces
        as in Bojanowski et al., "Enriching word vectors with subword information", TACL 2017.
    """
    letters = _letters(word)
    hashes = np.zeros(num_hashes)
    marked = f"<{letters}>" if letters else ""
    for start in range(len(marked) - _LETTERS_A_PIECE + 1):
        # Python's own hash differs from one process to the next.
        number = zlib.crc32(marked[start : start + _LETTERS_A_PIECE].encode("utf-8", "replace"))
        hashes[(number >> 1) % num_hashes] += 1.0 if number & 1 else -1.0
    return hashes / max(float(np.linalg.norm(hashes)), 1.0)


def _letters(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter.isalnum())
