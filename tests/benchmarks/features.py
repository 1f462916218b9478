"""Measure what each group of features tells of fakes, on identities it did not learn from.

    python tests/benchmarks/features.py CORPUS... [--settings FILE] [--every 3] [--card CHECKPOINT]

``CORPUS`` is what ``mmmsba forge FOOTAGE --split train`` wrote, and ``FILE`` the settings of a
training run, whose ``features`` count; those of the preset ``mmmsba`` if not given. A small
classifier (gradient boosting) learns from each group alone, and from groups together, of three
quarters of the people, and says of the other quarter's snippets whether they are fake; each person
is in the other quarter once. Features count as they are and by how
they change within half a second. The table goes into the card of ``CHECKPOINT``, if one is given.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sections import put_section
from sklearn.ensemble import HistGradientBoostingClassifier

from mmmsba_plugin.config import FeaturesConfig, FitConfig
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.evaluation.metrics.bootstrap import Draw, Interval, bootstrap
from mmmsba_plugin.evaluation.metrics.detection import Ranking
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.features.embeddings.efficientnet import STAGES
from mmmsba_plugin.features.embeddings.image import NUM_VALUES as NUM_EMBEDDED
from mmmsba_plugin.features.extract import extract, media_of
from mmmsba_plugin.features.face import FaceTexture
from mmmsba_plugin.features.front_ends import bind_front_ends
from mmmsba_plugin.features.lips import LipsTexture
from mmmsba_plugin.features.self_similarity import NUM_VALUES
from mmmsba_plugin.features.voice import NUM_BANDS
from mmmsba_plugin.model.checkpoint import CARD
from mmmsba_plugin.record import Record
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.structures import ClipFeatures
from mmmsba_plugin.training.data import ground_truth

NUM_FOLDS = 4
#: How far before and after a snippet its change is measured, in snippets of 0.08 s.
STEPS = (-6, -3, 3, 6)
LAGS = range(-4, 5)
#: Snippets over which audio and mouth are correlated.
AROUND = 8
#: Where each group of the columns of the audio front-end ends.
LEVELS = 3 * NUM_BANDS
LIKENESSES = LEVELS + 2 * NUM_VALUES
NUM_TIMED = 12

Rows = NDArray[np.float32]
Measure = Callable[[ClipFeatures], Rows]


@dataclass(frozen=True, slots=True)
class ClipRows:
    """A clip: its identity, its features by group, and which snippets are fake, by view."""

    identity: str | None
    groups: Mapping[str, Rows]
    fake: Mapping[str, NDArray[np.bool_]]


def texture_columns(modality: str, first: int, last: int) -> Measure:
    """Select columns of the deviations of texture, which stand behind as many means."""
    half = {"face": FaceTexture, "lips": LipsTexture}[modality].num_values
    return lambda features: features.rows[modality].values[:, half + first : half + last]


def encoder_columns(first: int, last: int) -> Measure:
    """Select columns of the deviations of the mouth's embeddings, which stand last."""
    return lambda features: features.rows["lips"].values[:, -NUM_EMBEDDED:][:, first:last]


def audio_columns(first: int, last: int | None) -> Measure:
    """Select columns of the audio front-end."""
    return lambda features: features.rows["audio"].values[:, first:last]


def lagged_correlations(features: ClipFeatures) -> Rows:
    """Correlate audio and mouth at several lags, over a second and a half."""
    loud = features.rows["audio"].values[:, :NUM_BANDS].mean(axis=1)
    opening, width = features.rows["lips"].values[:, 0], features.rows["lips"].values[:, 2]
    correlations = [
        _correlation(np.roll(loud, lag), shape) for shape in (opening, width) for lag in LAGS
    ]
    values = np.stack(correlations, axis=1).astype(np.float32)
    return values - np.median(values, axis=0)


def _correlation(first: Rows, second: Rows) -> Rows:
    kernel = np.ones(2 * AROUND + 1) / (2 * AROUND + 1)

    def mean(values: Rows) -> Rows:
        return np.convolve(
            np.pad(values, AROUND, mode="reflect" if len(values) > AROUND else "edge"),
            kernel,
            mode="valid",
        )

    both = mean(first * second) - mean(first) * mean(second)
    spread = (mean(first**2) - mean(first) ** 2).clip(1e-6) * (
        mean(second**2) - mean(second) ** 2
    ).clip(1e-6)
    return both / np.sqrt(spread)


#: Channels of each output of the image encoder, of which there are means and deviations.
CHANNELS = {"stem": 32, **{f"stage {i}": s[-1] for i, s in enumerate(STAGES, 1)}}
_ENDS = list(accumulate((2 * channels for channels in CHANNELS.values()), initial=0))

#: What is measured, and whose truth it is held against.
GROUPS: dict[str, tuple[str, Measure]] = {
    "mouth: shape": ("visual", texture_columns("lips", 0, 9)),
    "mouth: speed and acceleration": ("visual", texture_columns("lips", 9, 27)),
    "mouth: coarse appearance": ("visual", texture_columns("lips", 27, 52)),
    "mouth: detail in three bands, by place": ("visual", texture_columns("lips", 52, 88)),
    "mouth: change from frame to frame": ("visual", texture_columns("lips", 88, 112)),
    "mouth: slides against the face": ("visual", texture_columns("lips", 112, 117)),
    "mouth: fine detail in native pixels, against the face": (
        "visual",
        texture_columns("lips", 117, 147),
    ),
    "mouth: colour": ("visual", texture_columns("lips", 147, 171)),
    "mouth: detail against the upper face": ("visual", texture_columns("lips", 171, 174)),
    **{
        f"mouth: image encoder, {name}": ("visual", encoder_columns(first, last))
        for name, (first, last) in zip(CHANNELS, pairwise(_ENDS), strict=True)
    },
    "face: detail in three bands, by place": ("visual", texture_columns("face", 0, 48)),
    "face: change from frame to frame": ("visual", texture_columns("face", 48, 80)),
    "face: colour": ("visual", texture_columns("face", 80, 112)),
    "face: pose": ("visual", texture_columns("face", 112, 118)),
    "audio: levels and steps by band": ("audio", audio_columns(0, LEVELS)),
    "audio: likeness of the voice": ("audio", audio_columns(LEVELS, LIKENESSES)),
    "audio: traces of how it was made": ("audio", audio_columns(LIKENESSES, None)),
    "audio against mouth, nine lags": ("all", lagged_correlations),
}
TOGETHER = {
    "all of the mouth": "mouth: ",
    "all of the face": "face: ",
    "all of the frames": ("mouth: ", "face: "),
    "all of the audio": "audio: ",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", type=Path, nargs="+")
    parser.add_argument("--settings", type=Path)
    parser.add_argument("--card", type=Path, metavar="CHECKPOINT")
    parser.add_argument("--every", type=int, default=3, help="of so many files, one is looked at")
    options = parser.parse_args()
    settings = json.loads(options.settings.read_text()) if options.settings else {}
    config = FitConfig.read({"preset": "mmmsba", **settings}).features
    every = chain.from_iterable(map(read_lavdf, options.datasets))
    records = [r for r in every if r.identity is not None][:: options.every]
    lines = []
    for line in _table(list(_clip_rows(records, config)), records, config):
        lines.append(line)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    if options.card:
        put_section(options.card / CARD, "features", lines)


def _clip_rows(records: Sequence[Record], config: FeaturesConfig) -> Iterator[ClipRows]:
    front_ends, cache = bind_front_ends(config), FeatureCache()
    for record in records:
        media = media_of(record.media, front_ends, duration_s=record.duration_s)
        features = extract(media, front_ends, config, cache=cache)
        if not all(rows.present.any() for rows in features.rows.values()):
            continue
        centers_s = features.grid.centers_s(features.num_snippets)
        fake = {view: _inside(centers_s, truth) for view, truth in ground_truth(record).items()}
        groups = {name: _beside(measure(features)) for name, (_, measure) in GROUPS.items()}
        yield ClipRows(record.identity, groups, fake)


def _inside(times_s: NDArray[np.float64], truth: Sequence[Segment]) -> NDArray[np.bool_]:
    inside = [(times_s >= segment.start_s) & (times_s < segment.end_s) for segment in truth]
    return np.any(inside, axis=0) if inside else np.zeros(len(times_s), dtype=bool)


def _beside(rows: Rows) -> Rows:
    """Return rows with how they differ from those a little before and after."""
    places = np.arange(len(rows))
    others = [rows[np.clip(places + step, 0, len(rows) - 1)] - rows for step in STEPS]
    return np.concatenate([rows, *others], axis=1).astype(np.float32)


def _table(
    clips: Sequence[ClipRows], records: Sequence[Record], config: FeaturesConfig
) -> Iterator[str]:
    identities = len({clip.identity for clip in clips})
    yield "## What each group of features tells"
    yield ""
    yield (
        f"Snippets of {len(clips)} files of {identities} people, each scored by gradient "
        "boosting that "
        "learned from other people; files that have frames and audio. 95 % intervals over people. "
        "Groups of the frames are held against altered frames, those of audio against altered "
        "audio, and what takes both against either."
    )
    yield ""
    yield "| features | how many | snippet AUC | 95 % interval |"
    yield "|---|---|---|---|"
    for name, (view, _) in GROUPS.items():
        yield _row(name, clips, [name], view)
    for name, starts in TOGETHER.items():
        members = [group for group in GROUPS if group.startswith(starts)]
        yield _row(f"**{name}**", clips, members, GROUPS[members[0]][0])
    yield _row("**everything**", clips, list(GROUPS), "all")
    yield ""
    yield from _costs(records, config)


def _row(name: str, clips: Sequence[ClipRows], members: Sequence[str], view: str) -> str:
    interval = _held_out_auc(clips, members, view)
    width = sum(clips[0].groups[member].shape[1] for member in members) // (1 + len(STEPS))
    return (
        f"| {name} | {width} | {interval.value:.3f} | {interval.low:.3f} to {interval.high:.3f} |"
    )


def _held_out_auc(clips: Sequence[ClipRows], members: Sequence[str], view: str) -> Interval:
    """Compute the AUC of snippets of held-out identities, with its interval."""
    rows = [np.concatenate([clip.groups[member] for member in members], axis=1) for clip in clips]
    identities = sorted({str(clip.identity) for clip in clips})
    order = np.random.default_rng(0).permutation(len(identities))
    fold_of = {identities[identity]: place % NUM_FOLDS for place, identity in enumerate(order)}
    folds = np.array([fold_of[str(clip.identity)] for clip in clips])
    scores: list[Rows] = [np.zeros(0)] * len(clips)
    for fold in range(NUM_FOLDS):
        training = np.flatnonzero(folds != fold)
        model = HistGradientBoostingClassifier(
            max_iter=60,
            learning_rate=0.12,
            max_leaf_nodes=12,
            min_samples_leaf=80,
            l2_regularization=5.0,
            max_features=0.3,
            class_weight="balanced",
            random_state=0,
        )
        model.fit(
            np.concatenate([rows[i] for i in training]),
            np.concatenate([clips[i].fake[view] for i in training]),
        )
        for i in np.flatnonzero(folds == fold):
            scores[i] = model.predict_proba(rows[i])[:, 1]

    def auc(draw: Draw) -> float:
        indices = draw.clips
        labels = np.concatenate([clips[i].fake[view] for i in indices])
        return Ranking.of(np.concatenate([scores[i] for i in indices]), labels).auc

    return bootstrap({"": auc}, clusters=[c.identity for c in clips], num_resamples=200)[""]


def _costs(records: Sequence[Record], config: FeaturesConfig) -> Iterator[str]:
    """Measure the process time of each front-end, decoding and face tracking included."""
    front_ends = bind_front_ends(config)
    media = [media_of(r.media, front_ends, duration_s=None) for r in records[:NUM_TIMED]]
    length_s = sum(item.duration_s or 0.0 for item in media)
    yield f"Process time for a second of clip, over {length_s:.0f} s of clips:"
    yield ""
    for names in (("audio",), ("face",), ("lips",), ("face", "lips")):
        chosen = {name: front_ends[name] for name in names}
        before_s = time.process_time()
        for item in media:
            extract(item, chosen, config)
        cost_ms = 1000 * (time.process_time() - before_s) / length_s
        yield f"- {' and '.join(names)}: {cost_ms:.0f} ms"
    yield ""


if __name__ == "__main__":
    main()
