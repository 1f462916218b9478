"""Leakage audit: shortcuts in the files of a dataset that tell real from fake without content.

A fake file that is a little larger, a little louder or encoded in another way than the
real ones can be told from them without finding a forgery, and a network finds the easy
way first. Here such a detector is built on purpose: it is given sizes, rates, loudness and
the encoder's traces, and nothing else. On a fair dataset it guesses.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.evaluation.metrics.bootstrap import Draw, Interval, bootstrap
from mmmsba_plugin.evaluation.metrics.detection import (
    Flags,
    Labels,
    Ranking,
    Scores,
    SortedClips,
    check_scores,
)
from mmmsba_plugin.evaluation.tables import GroundTruth
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.container import AvFrame, open_media
from mmmsba_plugin.media.packets import decode_packet, first_stream, read_packets
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.silence import leading_silence_s
from mmmsba_plugin.record import Record
from mmmsba_plugin.schema import Media
from mmmsba_plugin.timebase import s_to_samples

Table = NDArray[np.float64]

_RATE_HZ = 16_000
_BLOCK_S = 0.1
#: What is softer than this against the mean is a pause, as in measuring loudness after
#: ITU-R BS.1770.
_GATE_DB = 10.0
_FLOOR_DB = -100.0
_NUM_FOLDS = 5
#: Strength of the prior that no cue matters: with fewer clips than a hundred, twenty-odd
#: cues would fit any labels.
_RIDGE = 3.0
_STEPS = 25
_CONVERGED = 1e-7
#: Nothing counts as more than this many spreads from the middle.
_CLIP = 4.0
_CHANCE = 0.5
_SELDOM = 0.99


@dataclass(frozen=True, slots=True)
class LeakReport:
    """AUC of each shortcut, and of all together, that tells fake files from real ones.

    Attributes:
        cues: AUC of each cue alone; one half tells nothing, and either side of it leaks.
        together: AUC of a logistic regression on all cues, for people it did not learn from.
        by_chance: What it reaches in one of a hundred cases if each person's labels are dealt
            anew, that is, if there is nothing to find.
        num_files: How many files were looked at.
    """

    cues: Mapping[str, Interval]
    together: Interval
    by_chance: float
    num_files: int

    @property
    def leaks(self) -> bool:
        """Return whether all cues together tell more than chance would.

        The interval does not answer that: clips of a handful of people make it too narrow.
        """
        return self.together.value > self.by_chance

    @property
    def tells(self) -> tuple[str, ...]:
        """Cues whose interval leaves out one half, those that tell most first.

        Of forty cues that tell nothing, two are expected here.
        """
        cues = [n for n, c in self.cues.items() if c.low > _CHANCE or c.high < _CHANCE]
        return tuple(sorted(cues, key=lambda name: -abs(self.cues[name].value - _CHANCE)))


def leak_report(
    records: Sequence[Record],
    *,
    num_resamples: int = 500,
    num_deals: int = 200,
    seed: int = 0,
    on_clip: Callable[[int], None] = lambda _: None,
) -> LeakReport:
    """Compute how well shortcuts in the files of a dataset tell real from fake.

    Args:
        records: Real and fake clips, whose files are there.
        num_resamples: Draws of the intervals, by person.
        num_deals: How often labels are dealt anew to learn what chance reaches; 100 or more.
        seed: Of folds and draws.
        on_clip: Hears of each file that was looked at, by its number.

    Raises:
        DatasetError: The clips are all of one class, or of fewer than two people.
        MediaUnreadableError: A file cannot be read.
    """
    rows = []
    for number, record in enumerate(records):
        rows.append(cues_of(record.media))
        on_clip(number)
    names = sorted({name for row in rows for name in row})
    table = np.array([[row.get(name, np.nan) for name in names] for row in rows])
    fake = np.array([record.fake for record in records], dtype=bool)
    identities = [record.identity_key for record in records]
    scores = {name: table[:, i] for i, name in enumerate(names)}
    scores["together"] = held_out_scores(table, fake, identities, seed=seed)
    intervals = bootstrap(
        {name: _auc_of(column, fake) for name, column in scores.items()},
        clusters=identities,
        num_resamples=num_resamples,
        seed=seed,
    )
    chance = _reached_by_chance(table, fake, identities, num_deals=num_deals, seed=seed)
    return LeakReport(intervals, intervals.pop("together"), chance, len(records))


def cues_of(path: Path) -> dict[str, float]:
    """Compute the cues of a file that are not its content; absent ones are left out.

    Sizes and rates, the kinds and sizes of the encoder's packets, and how loud it is. None
    of it is about what is seen or said.
    """
    media = probe(path, with_hash=False)
    duration_s, size_bytes = media.duration_s or np.nan, media.size_bytes or np.nan
    return {
        "size_bytes": size_bytes,
        "duration_s": duration_s,
        "bytes_per_s": size_bytes / duration_s,
        **_stream_cues(media),
        **_packet_cues(media),
        **_audio_cues(media),
    }


def held_out_scores(
    table: Table, fake: Flags, identities: Sequence[str], *, seed: int = 0
) -> Scores:
    """Predict each clip by a logistic regression that did not learn from its identity.

    Args:
        table: Cues, shape ``(clip, cue)``; NaN where a clip has none.
        fake: Shape ``(clip,)``.
        identities: Who is seen; clips of one person are never learned from and judged at once.
        seed: Random seed of the folds.

    Returns:
        Logits, shape ``(clip,)``.

    Raises:
        DatasetError: The clips are all of one class, or of fewer than two people.
    """
    names, identity = np.unique(np.array(identities), return_inverse=True)
    num_folds = min(_NUM_FOLDS, names.size)
    fold = (np.random.default_rng(seed).permutation(names.size) % max(1, num_folds))[identity]
    logits = np.full(fake.size, np.nan)
    for held_out in range(num_folds):
        is_held_out = fold == held_out
        if num_folds < 2 or np.unique(fake[~is_held_out]).size < 2:  # noqa: PLR2004
            raise DatasetError(
                "to look for leaks, clips of two people or more are needed, real and fake of "
                "each; add some"
            )
        scaled = _scaled(table, table[~is_held_out])
        weights = _fitted(scaled[~is_held_out], fake[~is_held_out])
        logits[is_held_out] = scaled[is_held_out] @ weights
    return logits


def _reached_by_chance(
    table: Table, fake: Flags, identities: Sequence[str], *, num_deals: int, seed: int
) -> float:
    """Return the AUC that is reached in one of a hundred cases where there is nothing to find."""
    rng = np.random.default_rng(seed)
    _, identity = np.unique(np.array(identities), return_inverse=True)
    # Clips sorted by person, and sorted by person with those of each one shuffled.
    places = np.argsort(identity, kind="stable")
    reached = []
    for _ in range(num_deals):
        dealt = np.empty_like(fake)
        dealt[places] = fake[np.lexsort((rng.random(fake.size), identity))]
        scores = held_out_scores(table, dealt, identities, seed=seed)
        reached.append(_auc_of(scores, dealt)(Draw(np.arange(fake.size), whole=True)))
    return float(np.quantile(reached, _SELDOM))


def _auc_of(values: Scores, fake: Flags) -> Callable[[Draw], float]:
    """Return what computes the AUC of any numbers; clips that have none are left out."""
    is_number = ~np.isnan(values)
    # A ranking takes scores in [0, 1], and only their order matters.
    places = np.unique(values[is_number], return_inverse=True)[1] / max(1, is_number.sum())
    clips = SortedClips.of(places, fake[is_number], clips=np.flatnonzero(is_number))
    return lambda draw: clips.rank(draw.counts(len(values))).auc


def _scaled(table: Table, train: Table) -> Table:
    """Return cues in spreads from the middle of those learned from, and a column of ones."""
    with np.errstate(invalid="ignore"):
        filled = np.where(np.isnan(train).all(axis=0), 0.0, train)
        middle = np.nanmedian(filled, axis=0)
        spread = np.nanstd(filled, axis=0)
    scaled = (table - middle) / np.where(spread > 0, spread, 1.0)
    # What is not there is in the middle of those that are.
    scaled = np.clip(np.nan_to_num(scaled, nan=0.0), -_CLIP, _CLIP)
    return np.column_stack([scaled, np.ones(len(table))])


def _fitted(cues: Table, fake: Flags) -> Scores:
    """Return the weights of a logistic regression, by Newton's method."""
    ridge = _RIDGE * np.eye(cues.shape[1])
    # How many are fake is no secret that must be shrunk.
    ridge[-1, -1] = 1e-6
    weights = np.zeros(cues.shape[1])
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-cues @ weights))
        slope = cues.T @ (fake - likely) - ridge @ weights
        bend = (cues * (likely * (1 - likely))[:, None]).T @ cues + ridge
        step = np.linalg.solve(bend, slope)
        weights = weights + step
        if np.abs(step).max() < _CONVERGED:
            break
    return weights


def _stream_cues(media: Media) -> dict[str, float]:
    video = media.video
    if video is None:
        return {}
    return {
        "fps_hz": video.fps_hz or np.nan,
        "width_px": float(video.width_px),
        "height_px": float(video.height_px),
    }


def _packet_cues(media: Media) -> dict[str, float]:
    sizes: dict[str, list[int]] = {"video": [], "audio": []}
    by_kind: dict[str, list[int]] = {"I": [], "P": [], "B": []}
    with open_media(media.path) as container:
        streams = {name: first_stream(container, name) for name in ("video", "audio")}
        video, size_at = streams["video"], {}
        for packet in (p for p in read_packets(container) if p is not None):
            for name, stream in streams.items():
                if stream is not None and packet.stream_index == stream.index and packet.size:
                    sizes[name].append(packet.size)
            if video is not None and packet.stream_index == video.index:
                size_at[packet.pts] = packet.size
                _sort_by_kind(decode_packet(video, packet), size_at, by_kind)
        if video is not None:
            _sort_by_kind(decode_packet(video, None), size_at, by_kind)
    num = max(1, sum(map(len, by_kind.values())))
    cues = {f"share_of_{kind}": len(packets) / num for kind, packets in by_kind.items()}
    for name, packets in (sizes | by_kind).items():
        cues |= {f"{name}_{what}": value for what, value in _moments(packets).items()}
    return cues


def _sort_by_kind(
    frames: Sequence[AvFrame] | None, size_at: Mapping[int, int], by_kind: dict[str, list[int]]
) -> None:
    """Put the size of each frame's packet among those of its kind: I, P or B."""
    from av.video.frame import PictureType

    for frame in frames or ():
        kind = PictureType(frame.pict_type).name
        if kind in by_kind and frame.pts in size_at:
            by_kind[kind].append(size_at[frame.pts])


def _moments(sizes: Sequence[int]) -> dict[str, float]:
    """Return mean, spread, lopsidedness and least of sizes, on a logarithmic scale."""
    if not sizes:
        return {}
    logs = np.log2(np.asarray(sizes, dtype=np.float64))
    away = logs - logs.mean()
    spread = float(away.std())
    skew = float(np.mean(away**3)) / spread**3 if spread > 0 else 0.0
    return {"mean": float(logs.mean()), "spread": spread, "skew": skew, "least": float(logs.min())}


def _audio_cues(media: Media) -> dict[str, float]:
    if media.audio is None:
        return {}
    audio = read_audio(media, sample_rate_hz=_RATE_HZ).samples.astype(np.float64)
    block = s_to_samples(_BLOCK_S, _RATE_HZ)
    blocks = audio[: audio.size - audio.size % block].reshape(-1, block)
    if not blocks.size:
        return {}
    powers = np.mean(blocks**2, axis=1)
    loud = powers >= powers.mean() * 10 ** (-_GATE_DB / 10)
    return {
        "loudness_db": _db(powers.mean()),
        "gated_loudness_db": _db(powers[loud].mean()),
        "softest_db": _db(np.percentile(powers, 5)),
        "peak_db": _db(np.abs(audio).max() ** 2),
        "leading_silence_s": leading_silence_s(media) or 0.0,
        "silent_s": float(np.mean(np.abs(audio) < 10 ** (_FLOOR_DB / 20))),
    }


def _db(power: float) -> float:
    return max(_FLOOR_DB, 10 * float(np.log10(max(power, 1e-30))))


#: Leading silence that scores one half, in seconds. Any number ranks alike; the moments that
#: were reported are some tens of milliseconds long, and those are spread the most by this.
HALF_S = 0.03


def silence_scores(leading_s: ArrayLike) -> Scores:
    """Compute the scores of a detector that knows nothing but leading silence.

    Longer counts as more forged, because that is how it was found to be: fake clips begin
    with silence where real ones do not. Other datasets have it the other way round, as
    ASVspoof 2019 does, and betray themselves no less; :func:`leak_auc` covers both.

    Args:
        leading_s: Leading silence of each clip in seconds, as
            :func:`mmmsba_plugin.media.silence.leading_silence_s` measures it, shape
            ``(clip,)``; None or NaN where it is not known.

    Returns:
        Numbers in [0, 1] that rise with the silence, shape ``(clip,)``; NaN where it is not
        known. They rank clips and mean nothing more.

    Example:
        >>> silence_scores([0.0, 0.03, 0.27, None]).round(3).tolist()
        [0.0, 0.5, 0.9, nan]

    Source:
        Smeu et al., arXiv 2412.00175, on FakeAVCeleb and AV-Deepfake1M; Müller et al.,
        "Speech is Silver, Silence is Golden", 2021, arXiv 2106.12914, on ASVspoof.
    """
    lengths_s = np.maximum(np.array(leading_s, dtype=np.float64), 0.0)
    return lengths_s / (lengths_s + HALF_S)


def leak_auc(scores: ArrayLike, fake: Labels) -> float:
    """Compute the AUC of a cue that should not tell fake from real, in its better direction.

    It is the AUC, or one minus it if that is more: which of the two classes has the longer
    silence is no matter, since a detector learns either. One half is no leak, 1 a dataset that
    needs no detector. Clips without a score are left out.

    Because the better side is taken, chance lies above one half: of 20 forged and 20 real
    clips at about 0.57, of 200 and 200 at about 0.52. An interval never reaches below one
    half, so compare with that and not with one half.

    Args:
        scores: Anything in [0, 1] that ranks clips, such as :func:`silence_scores`, shape
            ``(clip,)``; NaN where there is none.
        fake: Whether each clip is fake, shape ``(clip,)``.

    Returns:
        A number in [0.5, 1]; NaN where the clips with a score are of one class.

    Raises:
        ScoreRangeError: A score lies outside [0, 1].
        ShapeError: There is not one label a score.

    Example:
        >>> leak_auc([0.9, 0.8, np.nan, 0.1], [False, False, True, True])
        1.0
    """
    values = np.asarray(scores, dtype=np.float64)
    is_number = ~np.isnan(values)
    _, labels = check_scores(np.where(is_number, values, 0.0), fake)
    area = Ranking.of(values[is_number], labels[is_number]).auc
    return max(area, 1.0 - area)


def silence_auc(
    silence_s: Mapping[str, float | None],
    ground_truth: GroundTruth,
    *,
    num_resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """Compute the AUC of leading silence alone.

    Args:
        silence_s: The silence that each clip starts with, in seconds, by key; None where there
            is no audio. Clips that were not listened to may be missing.
        ground_truth: What is true of the clips.
        num_resamples: How often clips are drawn anew for the interval.
        seed: Of the draws.

    Returns:
        The :func:`leak_auc` of :func:`silence_scores`; NaN where the clips that were listened
        to are of one class.
    """
    scores = silence_scores(ground_truth.column(silence_s))

    def of(draw: Draw) -> float:
        return leak_auc(scores[draw.clips], ground_truth.fake[draw.clips])

    draws = {"num_resamples": num_resamples, "seed": seed}
    return bootstrap({"auc": of}, clusters=ground_truth.clusters, **draws)["auc"]
