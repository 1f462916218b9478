"""Finds the real clips of a folder, and says who is in them and what split they serve.

A folder in LAV-DF's layout says so itself. In any other, each file is taken for a person of
its own, and persons are dealt to splits by a seeded shuffle; nobody is ever in two.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from mmmsba_plugin.datasets.json_records import listed
from mmmsba_plugin.datasets.lavdf_metadata import METADATA
from mmmsba_plugin.errors import DatasetError, MmmsbaError
from mmmsba_plugin.files import VIDEO_SUFFIXES
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.schema import Media

#: Share of the people who serve development, and the same again who serve testing.
_HELD_OUT = 0.15
_ENOUGH_FOR_TEST = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A clip that its folder calls real.

    Attributes:
        path: The file.
        key: Its name below the folder, with slashes.
        identity: Who is seen.
        split: ``train``, ``dev`` or ``test``, or the folder's own word.
    """

    path: Path
    key: str
    identity: str
    split: str


@dataclass(frozen=True, slots=True)
class Source:
    """A real clip that can be fake.

    Attributes:
        candidate: What the folder says of it.
        media: What the file holds.
        name: Its name in the forged dataset, unique there, without suffix.
    """

    candidate: Candidate
    media: Media
    name: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A clip, or a variant of one, that was not made.

    Attributes:
        name: Which.
        reason: Why, and what would help.
    """

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def find_sources(
    folder: Path, *, seed: int, min_clip_s: float, split: str | None = None
) -> tuple[list[Source], list[Skipped]]:
    """Return the real clips below ``folder`` that can be read, and those that cannot.

    Args:
        folder: With a LAV-DF ``metadata.json``, or just with clips in it.
        seed: Of who serves which split, where the folder does not say.
        min_clip_s: Shorter ones are left out, in seconds.
        split: Only clips of this split; all if not given.

    Raises:
        DatasetError: There is no such folder, its metadata cannot be read, or it holds no
            real clip (of that split).
    """
    if not folder.is_dir():
        raise DatasetError(f"there is no folder {folder}; give one that holds real clips")
    described = (folder / METADATA).is_file()
    candidates = _described(folder, seed) if described else _undescribed(folder, seed)
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
            media = _usable(candidate, min_clip_s)
        except MmmsbaError as error:
            skipped.append(Skipped(candidate.key, str(error)))
            continue
        sources.append(Source(candidate, media, _unique_name(candidate, names)))
    return sources, skipped


def deal_splits(identities: set[str], *, seed: int) -> dict[str, str]:
    """Return the split of each identity.

    The order is that of a hash of seed and name, so it does not depend on the order in which
    a disk lists files. Two people suffice for a development split, three for a test split.
    """
    dealt = sorted(identities, key=lambda who: _digest(f"{seed}:{who}"))
    held_out = max(1, round(_HELD_OUT * len(dealt)))
    num_dev = held_out if len(dealt) > 1 else 0
    num_test = held_out if len(dealt) >= _ENOUGH_FOR_TEST else 0
    words = ["dev"] * num_dev + ["test"] * num_test
    words += ["train"] * (len(dealt) - len(words))
    return dict(zip(dealt, words, strict=True))


def seed_of(key: str) -> int:
    """Return a number that stands for ``key``, the same on every machine."""
    return int.from_bytes(_digest(key)[:8], "big")


def _usable(candidate: Candidate, min_clip_s: float) -> Media:
    media = probe(candidate.path, with_hash=False)
    if media.video is None:
        raise DatasetError("it has no frames, so nobody is seen to talk; give a video")
    if media.duration_s is not None and media.duration_s < min_clip_s:
        raise DatasetError(
            f"it lasts {media.duration_s:.2f} s; at least {min_clip_s:g} s are needed to leave "
            "real time around a fake stretch"
        )
    return media


def _described(folder: Path, seed: int) -> list[Candidate]:
    """Return what the metadata calls real, by key; who has no split is dealt one."""
    real = []
    for found in listed(folder / METADATA):
        item = found.value
        try:
            key = str(item["file"])
            split = item.get("split")
            fakes = int(item.get("n_fakes", 0)) or len(item.get("fake_periods") or ())
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DatasetError(
                f"{folder / METADATA}, entry {found.entry}: {error!r} does not fit LAV-DF's "
                "layout; each entry needs 'file', and 'n_fakes' as a number"
            ) from error
        if not fakes:
            identity = str(item.get("identity") or Path(key).stem)
            real.append((key, identity, split))
    stated = {who: split for _, who, split in real if split}
    dealt = deal_splits({who for _, who, _ in real} - stated.keys(), seed=seed) | stated
    return [
        Candidate(folder / key, key, who, str(split or dealt[who]))
        for key, who, split in sorted(real, key=lambda found: found[0])
    ]


def _undescribed(folder: Path, seed: int) -> list[Candidate]:
    """Return every video file below the folder, by key."""
    paths = sorted(
        p
        for p in folder.rglob("*")
        if p.suffix.lower() in VIDEO_SUFFIXES and not _hidden(p, folder)
    )
    splits = deal_splits({p.stem for p in paths}, seed=seed)
    return [Candidate(p, p.relative_to(folder).as_posix(), p.stem, splits[p.stem]) for p in paths]


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _unique_name(candidate: Candidate, names: set[str]) -> str:
    """Return a name for the forged dataset, ``split/stem``, with more of the path if needed."""
    stem = Path(candidate.key).stem
    for word in (stem, candidate.key.replace("/", "-").replace(".", "-")):
        name = f"{candidate.split}/{word}"
        if name not in names:
            names.add(name)
            return name
    raise DatasetError(f"two clips are called {candidate.key}; remove one entry")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
