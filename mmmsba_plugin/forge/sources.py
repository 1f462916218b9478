"""Find the real clips of a folder, with their identities and splits.

A folder in LAV-DF's layout names both itself, and the fakes that a generator made of whole
clips: such a counterpart can be cut in. In any other, each file is taken for an
identity of its own, and identities are dealt to splits by a seeded shuffle; none is ever in
two.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from mmmsba_plugin.datasets.json_records import listed
from mmmsba_plugin.datasets.lavdf_metadata import METADATA, MetadataEntry
from mmmsba_plugin.datasets.splits import deal
from mmmsba_plugin.errors import DatasetError, MmmsbaError
from mmmsba_plugin.files import VIDEO_SUFFIXES
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.schema import Media
from mmmsba_plugin.segment import is_whole_clip

#: Share of the identities that are held out, where the folder names no splits.
HELD_OUT = {"dev": 0.15, "test": 0.15}

#: Where LAV-DF's layout lists fake segments; other lists are of parts of clips.
_LISTS = ("fake_periods", "visual_fake_segments", "audio_fake_segments")
#: What is known of a clip and passed on to all that is made of it.
_DETAILS = ("corpus", "language")


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A fake that a generator made of a whole real clip, frame by frame.

    Attributes:
        path: The file.
        key: Its name below the folder, with slashes.
        generator: Name of the generator, if it is known.
        visual: Whether its frames were altered.
        audio: Whether its audio was.
    """

    path: Path
    key: str
    generator: str | None
    visual: bool
    audio: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A clip that its folder calls real, or fake from beginning to end.

    Attributes:
        path: The file.
        key: Its name below the folder, with slashes.
        identity: The person that is seen.
        split: ``train``, ``dev`` or ``test``, or the folder's own word.
        counterparts: Fakes of the whole clip, of the same split.
        details: What else the folder says that holds for all that is made of the clip.
        fake: What was altered in it, where it is itself a fake of the whole clip and its
            original is not in the folder.
    """

    path: Path
    key: str
    identity: str
    split: str
    counterparts: tuple[Counterpart, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict, compare=False)
    fake: Counterpart | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A real clip that can be forged.

    Attributes:
        candidate: The folder's record of it.
        media: The streams of the file.
        name: Its name in the forged dataset, unique there, without suffix.
    """

    candidate: Candidate
    media: Media
    name: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A clip, a variant of one, or a forger that was left out.

    Attributes:
        name: Its name.
        reason: Why, and what would help.
    """

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def find_sources(
    folder: Path,
    *,
    seed: int,
    min_clip_s: float,
    split: str | None = None,
    whole_fakes: bool = False,
) -> tuple[list[Source], list[Skipped]]:
    """Find the real clips below ``folder`` that can be read, and those that cannot.

    Args:
        folder: A folder with a LAV-DF ``metadata.json``, or just with clips in it.
        seed: Random seed of the splits, where the folder does not name them.
        min_clip_s: Shorter clips are left out, in seconds.
        split: Only clips of this split; all if not given.
        whole_fakes: Whether fakes of a whole clip without an original are sources too.

    Raises:
        DatasetError: There is no such folder, its metadata cannot be read, or it holds no
            real clip (of that split).
    """
    if not folder.is_dir():
        raise DatasetError(f"there is no folder {folder}; give one that holds real clips")
    skipped: list[Skipped] = []
    if (folder / METADATA).is_file():
        candidates, skipped = _read_metadata(folder, seed, split)
    else:
        candidates = _find_videos(folder, seed)
    splits = sorted({c.split for c in candidates})
    candidates = [c for c in candidates if split in {None, c.split}]
    if splits and not candidates:
        raise DatasetError(f"{folder} has no split {split!r}; it has: {', '.join(splits)}")
    candidates = [c for c in candidates if whole_fakes or c.fake is None]
    if all(c.fake for c in candidates):
        raise DatasetError(
            f"{folder} holds no real clip; it needs video files, or a {METADATA} that calls "
            "some of its clips real (n_fakes 0)"
        )
    sources: list[Source] = []
    names: set[str] = set()
    for candidate in candidates:
        try:
            media = probe(candidate.path, with_hash=False)
        except MmmsbaError as error:
            skipped.append(Skipped(candidate.key, str(error)))
            continue
        if reason := _explain_unusable(media, min_clip_s):
            skipped.append(Skipped(candidate.key, reason))
            continue
        name = _unique_name(candidate, names)
        names.add(name)
        sources.append(Source(candidate, media, name))
    return sources, skipped


def seed_from(key: str) -> int:
    """Return a random seed for ``key``, the same on every machine."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")


def _explain_unusable(media: Media, min_clip_s: float) -> str:
    """Explain why a clip that can be read cannot be forged; empty if it can."""
    if media.video is None:
        return "it has no frames, so nobody is seen to talk; give a video"
    if media.duration_s is not None and media.duration_s < min_clip_s:
        return (
            f"it lasts {media.duration_s:.2f} s; at least {min_clip_s:g} s are needed to leave "
            "real time around a fake segment"
        )
    return ""


@dataclass(frozen=True, slots=True)
class _Listed:
    """A clip that the metadata call real, or fake from beginning to end (``fake``).

    In a fake, ``identity`` is who is seen. ``original`` is a clip that is listed too.
    """

    entry: MetadataEntry
    identity: str
    split: str | None
    original: str | None
    fake: Counterpart | None


def _read_metadata(
    folder: Path, seed: int, requested: str | None
) -> tuple[list[Candidate], list[Skipped]]:
    """Read the clips that LAV-DF metadata calls real or whole fakes, and fakes across splits.

    Missing splits are dealt. Clips whose ``use`` is another than ``all`` are passed over.
    """
    clips = _list_clips(folder)
    splits = _complete_splits(clips, seed)
    crossing = _find_crossing(clips, splits)
    counterparts: dict[str, list[Counterpart]] = {}
    for key, clip in clips.items():
        if clip.fake and clip.original and key not in crossing:
            counterparts.setdefault(clip.original, []).append(clip.fake)
    candidates = [
        Candidate(
            folder / key,
            key,
            clip.identity,
            splits[key],
            tuple(counterparts.get(key, ())) if clip.fake is None else (),
            {
                name: str(clip.entry.values[name])
                for name in _DETAILS
                if clip.entry.values.get(name)
            },
            clip.fake,
        )
        for key, clip in clips.items()
        if clip.fake is None or not (key in crossing or clip.original)
    ]
    skipped = [
        Skipped(k, "somebody in it, or whom it was made of, is of another split too; correct one")
        for k in sorted(crossing)
        if requested in {None, splits[k]}
    ]
    return candidates, skipped


def _list_clips(folder: Path) -> dict[str, _Listed]:
    """List the clips of the metadata by key, in the order of keys."""
    clips: dict[str, _Listed] = {}
    for record in listed(folder / METADATA):
        try:
            entry = MetadataEntry(record.value)
            fake = _to_counterpart(folder, entry) if entry.fake else None
            if entry.use == "all" and (fake or not entry.fake):
                identity = entry.identity or Path(entry.key).stem
                clips[entry.key] = _Listed(entry, identity, entry.split, entry.original, fake)
        except DatasetError as error:
            raise DatasetError(f"{record.place}: {error}") from error
    return {
        key: clip if clip.original in clips else replace(clip, original=None)
        for key, clip in sorted(clips.items())
    }


def _complete_splits(clips: Mapping[str, _Listed], seed: int) -> dict[str, str]:
    """Return the split of each clip: as stated, as that of its original, or dealt by identity."""
    by_identity = {clip.identity: clip.split for clip in clips.values() if clip.split}
    unsplit = {clip.identity for clip in clips.values() if clip.fake is None} - by_identity.keys()
    by_identity |= deal(unsplit, HELD_OUT, seed=seed)
    splits = {}
    for key, clip in clips.items():
        origin = clips[clip.original] if clip.original else clip
        splits[key] = clip.split or origin.split or by_identity.get(origin.identity, "train")
    return splits


def _find_crossing(clips: Mapping[str, _Listed], splits: Mapping[str, str]) -> set[str]:
    """Find the fakes of somebody who is of another split too.

    That may be who is seen, whom the original shows, or whose face or voice a generator took
    (``donor_identity``).
    """
    splits_of: dict[str, set[str]] = {}
    for key, clip in clips.items():
        splits_of.setdefault(clip.identity, set()).add(splits[key])
    crossing = set()
    for key, clip in clips.items():
        if clip.fake is None:
            continue
        origin = clips[clip.original] if clip.original else clip
        involved = (clip.identity, origin.identity, clip.entry.values.get("donor_identity"))
        if any(splits_of.get(str(identity), set()) - {splits[key]} for identity in involved):
            crossing.add(key)
    return crossing


def _to_counterpart(folder: Path, entry: MetadataEntry) -> Counterpart | None:
    """Return the counterpart that an entry lists; None if it alters but a part of the clip.

    Raises:
        DatasetError: The segments of the entry are malformed.
    """
    duration_s = entry.values.get("duration")
    if not (isinstance(duration_s, int | float) and any(map(entry.values.get, _LISTS))):
        return None
    visual, audio = (
        any(is_whole_clip(segment, duration_s) for segment in segments)
        for segments in entry.ground_truth()
    )
    generator = str(entry.values["generator"]) if entry.values.get("generator") else None
    if not (visual or audio):
        return None
    return Counterpart(folder / entry.key, entry.key, generator, visual=visual, audio=audio)


def _find_videos(folder: Path, seed: int) -> list[Candidate]:
    """Find every video file below the folder, by key."""
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in VIDEO_SUFFIXES
        and not any(name.startswith(".") for name in path.relative_to(folder).parts)
    )
    splits = deal({p.stem for p in paths}, HELD_OUT, seed=seed)
    return [Candidate(p, p.relative_to(folder).as_posix(), p.stem, splits[p.stem]) for p in paths]


def _unique_name(candidate: Candidate, names: set[str]) -> str:
    """Return a name for the forged dataset, ``split/stem``, with more of the path if needed."""
    stem = Path(candidate.key).stem
    for word in (stem, candidate.key.replace("/", "-").replace(".", "-")):
        if (name := f"{candidate.split}/{word}") not in names:
            return name
    raise DatasetError(f"two clips are called {candidate.key}; remove one entry")
