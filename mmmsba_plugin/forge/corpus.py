"""Turns a folder of genuine clips into a corpus of partial forgeries.

Each genuine clip is written once, and beside it variants with one to three forged stretches.
What is random follows from the seed and the clip's name alone, so a run that was interrupted
goes on where it stopped and ends with the same corpus.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from mmmsba_plugin.errors import ConfigError, DatasetError, MmmsbaError
from mmmsba_plugin.forge.base import PictureForger, Sound, SoundForger
from mmmsba_plugin.forge.layout import METADATA, Entry, write_json
from mmmsba_plugin.forge.sources import Skipped, Source, find_sources
from mmmsba_plugin.forge.studio import DonorFinder, ForgeConfig, Recipe, Studio, sound_of
from mmmsba_plugin.hookspecs import Forger

#: Where a run keeps what is done; may be deleted once the corpus is complete.
PROGRESS = ".progress"

#: Clips tried as the donor of a sound before it is given up.
_DONORS_TRIED = 8

#: Called after each genuine clip with how many are done, how many there are, and its name.
OnProgress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class ForgeSummary:
    """What became of a folder of genuine clips.

    Attributes:
        metadata: The corpus's list of clips.
        num_genuine: Genuine clips written.
        num_forged: Forged variants written.
        num_resumed: Genuine clips that an earlier run had finished, of ``num_genuine``.
        skipped: Clips and variants that were not made, and why.
    """

    metadata: Path
    num_genuine: int
    num_forged: int
    num_resumed: int
    skipped: tuple[Skipped, ...]


def forge_corpus(
    genuine_dir: Path,
    out_dir: Path,
    *,
    per_clip: int,
    seed: int,
    forgers: Sequence[Forger],
    split: str | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    config: ForgeConfig | None = None,
    on_progress: OnProgress | None = None,
) -> ForgeSummary:
    """Write a corpus of partial forgeries in LAV-DF's layout.

    Args:
        genuine_dir: Genuine talking-face clips; if a LAV-DF ``metadata.json`` lies there,
            its identities and splits are kept and its forgeries are passed over.
        out_dir: Where to; clips go into a folder for each split, beside ``metadata.json``.
        per_clip: Forged variants of each genuine clip.
        seed: Of everything random.
        forgers: What to forge with; sound and picture forgers are used alone and together.
        split: Only genuine clips of this split; all if not given.
        settings: Settings of forgers by name, where they are not to be the defaults.
        config: How the corpus is forged.
        on_progress: Hears of each clip that is done.

    Returns:
        What was made. A clip that cannot be used is named there and does not stop the rest.

    Raises:
        ConfigError: ``per_clip`` or a forger's settings are out of bounds.
        DatasetError: There is no genuine clip, nothing could be forged, or ``out_dir`` holds
            a corpus that was forged otherwise.
    """
    if per_clip < 1 or not forgers:
        raise ConfigError(
            "each clip needs at least one variant and one forger, "
            f"got {per_clip} and {len(forgers)}"
        )
    config, settings = config or ForgeConfig(), settings or {}
    recipes = build_recipes(forgers, settings)
    made_with = {
        "per_clip": per_clip,
        "seed": seed,
        "split": split,
        "forgers": [f.name for f in forgers],
        "settings": {name: dict(values) for name, values in settings.items()},
        "config": config.model_dump(mode="json"),
    }
    _require_same_corpus(out_dir, made_with)
    sources, skipped = find_sources(
        genuine_dir, seed=seed, min_clip_s=config.min_clip_s, split=split
    )
    write_json(out_dir / PROGRESS / "settings.json", made_with)
    ledger = _Ledger(out_dir)
    for done, source in enumerate(sources, start=1):
        if not ledger.resume(source):
            studio = Studio(source, out_dir, config=config, seed=seed)
            donors = _donors(source, sources, config.sample_rate_hz)
            ledger.note(source, *_work(studio, source, recipes, per_clip, donors))
        if on_progress is not None:
            on_progress(done, len(sources), source.name)
    return ledger.close(skipped)


def build_recipes(
    forgers: Sequence[Forger], settings: Mapping[str, Mapping[str, Any]]
) -> list[Recipe]:
    """Return every sound forger alone, every picture forger alone, and every pair.

    Raises:
        ConfigError: Settings are given for a forger that is not there, or are out of bounds.
    """
    if unknown := settings.keys() - {f.name for f in forgers}:
        names = ", ".join(f.name for f in forgers)
        raise ConfigError(f"settings for unknown forgers {sorted(unknown)}; there are: {names}")
    sounds: list[tuple[str, SoundForger]] = []
    pictures: list[tuple[str, PictureForger]] = []
    for forger in forgers:
        built = forger.build(forger.config.read(dict(settings.get(forger.name, {}))))
        if forger.modality == "audio" and isinstance(built, SoundForger):
            sounds.append((forger.name, built))
        elif forger.modality == "visual" and isinstance(built, PictureForger):
            pictures.append((forger.name, built))
        else:
            raise ConfigError(
                f"the forger {forger.name!r} says it alters {forger.modality!r}, but "
                f"{type(built).__name__} lacks needs_donor and forge_sound or forge_pictures"
            )
    alone = [Recipe(sound=s) for s in sounds] + [Recipe(picture=p) for p in pictures]
    return alone + [Recipe(sound=s, picture=p) for s, p in product(sounds, pictures)]


class _Ledger:
    """What is done, kept beside the corpus clip by clip."""

    def __init__(self, out_dir: Path) -> None:
        self._out_dir = out_dir
        self._entries: list[Entry] = []
        self._skipped: list[Skipped] = []
        self._num_resumed = 0

    def resume(self, source: Source) -> bool:
        """Take over what an earlier run noted of a clip; False if there is none, or it is gone."""
        try:
            noted = json.loads(self._path(source).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        if noted["made_from"] != _fingerprint(source):
            return False
        if not all((self._out_dir / e["file"]).is_file() for e in noted["entries"]):
            return False
        self._add(noted["entries"], [Skipped(**s) for s in noted["skipped"]])
        self._num_resumed += bool(noted["entries"])
        return True

    def note(self, source: Source, entries: list[Entry], skipped: list[Skipped]) -> None:
        """Note what was made of a clip."""
        noted = {
            "made_from": _fingerprint(source),
            "entries": entries,
            "skipped": [{"name": s.name, "reason": s.reason} for s in skipped],
        }
        write_json(self._path(source), noted)
        self._add(entries, skipped)

    def close(self, skipped_before: Sequence[Skipped]) -> ForgeSummary:
        """Write the corpus's metadata and sum up.

        Raises:
            DatasetError: No variant could be forged.
        """
        skipped = (*skipped_before, *self._skipped)
        num_forged = sum(bool(e["n_fakes"]) for e in self._entries)
        if not num_forged:
            reasons = "; ".join(str(s) for s in skipped[:3])
            raise DatasetError(f"nothing could be forged ({reasons}); give other clips")
        write_json(self._out_dir / METADATA, self._entries)
        return ForgeSummary(
            metadata=self._out_dir / METADATA,
            num_genuine=len(self._entries) - num_forged,
            num_forged=num_forged,
            num_resumed=self._num_resumed,
            skipped=skipped,
        )

    def _add(self, entries: list[Entry], skipped: list[Skipped]) -> None:
        self._entries += entries
        self._skipped += skipped

    def _path(self, source: Source) -> Path:
        return self._out_dir / PROGRESS / f"{source.name}.json"


def _work(
    studio: Studio, source: Source, recipes: list[Recipe], per_clip: int, donors: DonorFinder
) -> tuple[list[Entry], list[Skipped]]:
    """Write one genuine clip and its variants; an error names the clip instead of ending all."""
    try:
        usable = studio.usable(recipes)
        if not usable:
            return [], [Skipped(source.name, "neither a face nor sound to forge")]
        forged, skipped = _variants(studio, source, usable, per_clip, donors)
        return ([studio.copy(), *forged] if forged else []), skipped
    except MmmsbaError as error:
        return [], [Skipped(source.name, str(error))]


def _variants(
    studio: Studio, source: Source, recipes: list[Recipe], per_clip: int, donors: DonorFinder
) -> tuple[list[Entry], list[Skipped]]:
    """Write the variants, recipes taking turns; another steps in where one finds no room."""
    entries: list[Entry] = []
    skipped: list[Skipped] = []
    turns = studio.rng(0).permutation(len(recipes))
    for number in range(1, per_clip + 1):
        order = np.roll(turns, 1 - number)
        tries = (studio.forge(number, recipes[i], donors) for i in order)
        made = next((entry for entry in tries if entry is not None), None)
        if made is None:
            reason = "no room for a forged stretch with genuine time around it, or no donor"
            skipped.append(Skipped(f"{source.name}, variant {number}", reason))
        else:
            entries.append(made)
    return entries, skipped


def _donors(source: Source, sources: Sequence[Source], sample_rate_hz: int) -> DonorFinder:
    """Return a finder of sounds of other clips of the split, of other people if there are any."""
    mine = source.candidate
    others = [
        s
        for s in sources
        if s is not source and s.media.audio is not None and s.candidate.split == mine.split
    ]
    strangers = [s for s in others if s.candidate.identity != mine.identity]
    familiar = [s for s in others if s.candidate.identity == mine.identity]

    def find(size: int, rng: np.random.Generator) -> Sound | None:
        for group in (strangers, familiar):
            for index in rng.permutation(len(group))[:_DONORS_TRIED]:
                sound = _readable_sound(group[index], sample_rate_hz)
                if sound.size >= size:
                    return sound
        return None

    return find


def _readable_sound(source: Source, sample_rate_hz: int) -> Sound:
    try:
        return sound_of(source, sample_rate_hz)
    except MmmsbaError:
        # The clip is named as skipped when its own turn comes; as a donor it just stands aside.
        return np.zeros(0, dtype=np.float32)


def _fingerprint(source: Source) -> dict[str, Any]:
    return {"key": source.candidate.key, "size_bytes": source.media.size_bytes}


def _require_same_corpus(out_dir: Path, made_with: dict[str, Any]) -> None:
    """Refuse to mix two corpora in one folder."""
    path = out_dir / PROGRESS / "settings.json"
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if (out_dir / METADATA).exists():
            raise DatasetError(
                f"{out_dir} already holds a {METADATA} of unknown making; choose another folder"
            ) from None
        return
    if changed := [key for key in made_with if before.get(key) != made_with[key]]:
        raise DatasetError(
            f"{out_dir} holds a corpus forged with other settings ({', '.join(changed)}); choose "
            f"another folder, or delete {out_dir} to forge it anew"
        )
