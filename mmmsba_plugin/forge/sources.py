"""Find the real clips of a folder, with their identities and splits.

A folder in LAV-DF's layout names both itself. In any other, each file is taken for an
identity of its own, and identities are dealt to splits by a seeded shuffle; none is ever in
two.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from mmmsba_plugin.datasets.json_records import listed
from mmmsba_plugin.datasets.lavdf_metadata import METADATA
from mmmsba_plugin.datasets.splits import deal
from mmmsba_plugin.errors import DatasetError, MmmsbaError
from mmmsba_plugin.files import VIDEO_SUFFIXES
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.schema import Media

#: Share of the identities that are held out, where the folder names no splits.
HELD_OUT = {"dev": 0.15, "test": 0.15}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A clip that its folder calls real.

    Attributes:
        path: The file.
        key: Its name below the folder, with slashes.
        identity: The person that is seen.
        split: ``train``, ``dev`` or ``test``, or the folder's own word.
    """

    path: Path
    key: str
    identity: str
    split: str


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
    folder: Path, *, seed: int, min_clip_s: float, split: str | None = None
) -> tuple[list[Source], list[Skipped]]:
    """Find the real clips below ``folder`` that can be read, and those that cannot.

    Args:
        folder: A folder with a LAV-DF ``metadata.json``, or just with clips in it.
        seed: Random seed of the splits, where the folder does not name them.
        min_clip_s: Shorter clips are left out, in seconds.
        split: Only clips of this split; all if not given.

    Raises:
        DatasetError: There is no such folder, its metadata cannot be read, or it holds no
            real clip (of that split).
    """
    if not folder.is_dir():
        raise DatasetError(f"there is no folder {folder}; give one that holds real clips")
    has_metadata = (folder / METADATA).is_file()
    candidates = _read_metadata(folder, seed) if has_metadata else _find_videos(folder, seed)
    splits = sorted({c.split for c in candidates})
    candidates = [c for c in candidates if split in {None, c.split}]
    if splits and not candidates:
        raise DatasetError(f"{folder} has no split {split!r}; it has: {', '.join(splits)}")
    if not candidates:
        raise DatasetError(
            f"{folder} holds no real clip; it needs video files, or a {METADATA} that calls "
            "some of its clips real (n_fakes 0)"
        )
    sources: list[Source] = []
    skipped: list[Skipped] = []
    names: set[str] = set()
    for candidate in candidates:
        try:
            media = _probe_video(candidate, min_clip_s)
        except MmmsbaError as error:
            skipped.append(Skipped(candidate.key, str(error)))
            continue
        name = _unique_name(candidate, names)
        names.add(name)
        sources.append(Source(candidate, media, name))
    return sources, skipped


def seed_from(key: str) -> int:
    """Return a random seed for ``key``, the same on every machine."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")


def _probe_video(candidate: Candidate, min_clip_s: float) -> Media:
    media = probe(candidate.path, with_hash=False)
    if media.video is None:
        raise DatasetError("it has no frames, so nobody is seen to talk; give a video")
    if media.duration_s is not None and media.duration_s < min_clip_s:
        raise DatasetError(
            f"it lasts {media.duration_s:.2f} s; at least {min_clip_s:g} s are needed to leave "
            "real time around a fake segment"
        )
    return media


def _read_metadata(folder: Path, seed: int) -> list[Candidate]:
    """Read the clips that LAV-DF metadata calls real, by key; missing splits are dealt."""
    real = []
    for record in listed(folder / METADATA):
        entry = record.value
        try:
            key = str(entry["file"])
            split = entry.get("split")
            num_fakes = int(entry.get("n_fakes", 0)) or len(entry.get("fake_periods") or ())
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DatasetError(
                f"{folder / METADATA}, entry {record.entry}: {error!r} does not fit LAV-DF's "
                "layout; each entry needs 'file', and 'n_fakes' as a number"
            ) from error
        if not num_fakes:
            identity = str(entry.get("identity") or Path(key).stem)
            real.append((key, identity, split))
    stated = {identity: split for _, identity, split in real if split}
    unsplit = {identity for _, identity, _ in real} - stated.keys()
    splits = deal(unsplit, HELD_OUT, seed=seed) | stated
    return [
        Candidate(folder / key, key, identity, str(split or splits[identity]))
        for key, identity, split in sorted(real, key=lambda row: row[0])
    ]


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
