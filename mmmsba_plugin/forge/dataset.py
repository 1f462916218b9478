"""Turns a folder of real clips into a dataset of partial forgeries.

Each real clip is written a few times, and beside it variants with one to three forged
stretches; all of them go through processing of their own. What is random follows from the
seed and the clip's name alone, so a run that was interrupted goes on where it stopped and
ends with the same dataset, whatever the number of processes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmmsba_plugin.datasets.lavdf_metadata import Entry
from mmmsba_plugin.errors import ConfigError, DatasetError, FeatureError, MmmsbaError
from mmmsba_plugin.forge.donors import Donors
from mmmsba_plugin.forge.manifest import PROGRESS, ClipResult, Manifest
from mmmsba_plugin.forge.recipes import ForgerSet, Recipe, assemble
from mmmsba_plugin.forge.source_clip import FaceTraceStore
from mmmsba_plugin.forge.sources import Skipped, Source, find_sources
from mmmsba_plugin.forge.variants import ForgeConfig, VariantWriter
from mmmsba_plugin.forge.workers import portable, work_on
from mmmsba_plugin.hookspecs import Forger

#: Called after each real clip with how many are done, how many there are, and its name.
OnProgress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class ForgeSummary:
    """What became of a folder of real clips.

    Attributes:
        metadata: The dataset's list of clips.
        num_real: Real files written.
        num_fake: Forged variants written.
        num_resumed: Real clips that an earlier run had finished.
        written_s: How long all files last that this run wrote, in seconds.
        skipped: Clips and variants that were not made, and why.
        left_out: Forgers that cannot be used here, and why.
    """

    metadata: Path
    num_real: int
    num_fake: int
    num_resumed: int
    written_s: float
    skipped: tuple[Skipped, ...]
    left_out: tuple[Skipped, ...]


def forge_dataset(
    real_dir: Path,
    out_dir: Path,
    *,
    per_clip: int,
    seed: int,
    forgers: Sequence[Forger],
    real_per_clip: int = 1,
    per_identity: int | None = None,
    split: str | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    config: ForgeConfig | None = None,
    workers: int = 1,
    on_progress: OnProgress | None = None,
) -> ForgeSummary:
    """Write a dataset of partial forgeries in LAV-DF's layout.

    Args:
        real_dir: Real talking-face clips; if a LAV-DF ``metadata.json`` lies there,
            its identities and splits are kept and its forgeries are passed over.
        out_dir: Where to; clips go into a folder for each split, beside ``metadata.json``.
        per_clip: Forged variants of each real clip.
        seed: Of everything random.
        forgers: What to forge with; audio and frame forgers are used alone and together.
            Those that lack something on this machine are left out.
        real_per_clip: Real files of each real clip, each with processing of its
            own. Where fewer variants can be made, as many fewer are written.
        per_identity: Most forged variants of one person, spread over their clips, so that
            nobody who was filmed often outweighs the rest; as many as it comes to if not given.
        split: Only real clips of this split; all if not given.
        settings: Settings of forgers by name, where they are not to be the defaults.
        config: How the dataset is fake.
        workers: Processes. A forger that another process cannot import, such as one from a
            file that is no package, keeps all work in this one.
        on_progress: Hears of each clip that is done.

    Returns:
        What was made. A clip that cannot be used is named there and does not stop the rest.

    Raises:
        ConfigError: A number or a forger's settings are out of bounds.
        DatasetError: There is no real clip, nothing could be fake, ``out_dir`` holds
            a dataset that was fake otherwise, or a process died.
    """
    most = per_clip if per_identity is None else per_identity
    if min(per_clip, real_per_clip, most, workers) < 1 or not forgers:
        raise ConfigError(
            "each clip needs at least one variant, one real file, one forger and one worker, "
            f"and each person one variant, got {per_clip}, {real_per_clip}, {len(forgers)}, "
            f"{workers} and {most}"
        )
    config, settings = config or ForgeConfig(), settings or {}
    cast, ledger = assemble(forgers, settings), Manifest(out_dir)
    made_with = {
        "per_clip": per_clip,
        "real_per_clip": real_per_clip,
        "per_identity": per_identity,
        "seed": seed,
        "split": split,
        "forgers": cast.names,
        "settings": {name: dict(values) for name, values in settings.items()},
        "config": config.model_dump(mode="json"),
    }
    ledger.open(made_with)
    sources, skipped = find_sources(real_dir, seed=seed, min_clip_s=config.min_clip_s, split=split)
    workshop = ClipForging(
        tuple(sources), cast, ledger, config, seed, per_clip, real_per_clip, per_identity
    )
    members = [forger for _, forger in (*cast.audios, *cast.frames)]
    made = _all_made(workshop, workers if portable(*members) else 1, on_progress)
    workshop.traces.delete()
    return _summary(ledger, made, skipped, cast)


@dataclass(frozen=True, slots=True)
class ClipForging:
    """Makes of each real clip what is to be made of it; can be sent to another process.

    Attributes:
        sources: The real clips.
        cast: The forgers.
        ledger: Where it is noted what is done.
        config: How the dataset is fake.
        seed: Of everything random.
        per_clip: Forged variants of each clip.
        real_per_clip: Real files of each clip.
        per_identity: Most forged variants of one person; None for no limit.
    """

    sources: tuple[Source, ...]
    cast: ForgerSet
    ledger: Manifest
    config: ForgeConfig
    seed: int
    per_clip: int
    real_per_clip: int
    per_identity: int | None = None

    @property
    def traces(self) -> FaceTraceStore:
        """Where the face is in each clip."""
        folder = self.ledger.out_dir / PROGRESS / "traces"
        return FaceTraceStore(folder, self.config.tracks, self.config.max_short_side_px)

    def __call__(self, source: Source) -> ClipResult:
        """Write all files of one clip, unless an earlier run did."""
        if made := self.ledger.resume(source):
            return made
        try:
            made = self._made(source)
        except MmmsbaError as error:
            made = ClipResult((), (Skipped(source.name, str(error)),))
        self.ledger.save(source, made)
        return made

    def _made(self, source: Source) -> ClipResult:
        out_dir, config = self.ledger.out_dir, self.config
        studio = VariantWriter(source, out_dir, traces=self.traces, config=config, seed=self.seed)
        lenders = Donors(source, self.sources, self.traces, config.sample_rate_hz)
        num_fake = self._num_variants(source)
        num_real = self._num_copies(num_fake)
        numbers = studio.file_numbers(num_real + num_fake)
        real, fake = numbers[:num_real], numbers[num_real:]
        variants: list[Entry] = []
        skipped: list[Skipped] = []
        for turn, number in enumerate(fake):
            tries = studio.recipes(self.cast, turn)
            try:
                variants.append(_first_that_works(studio, number, tries, lenders, real[0]))
            except FeatureError as error:
                skipped.append(Skipped(f"{source.name}, variant {turn + 1}", str(error)))
        if not variants:
            return ClipResult((), (Skipped(source.name, skipped[0].reason),))
        copies = [studio.copy(n) for n in real[: self._num_copies(len(variants))]]
        return ClipResult((*copies, *variants), tuple(skipped))

    def _num_variants(self, source: Source) -> int:
        """Return how often a clip is fake, so that its person is not fake too often."""
        if self.per_identity is None:
            return self.per_clip
        identity = source.candidate.identity
        clips = sum(other.candidate.identity == identity for other in self.sources)
        return min(self.per_clip, max(1, round(self.per_identity / clips)))

    def _num_copies(self, num_variants: int) -> int:
        """Return how many real files a clip gets that could be fake so often.

        A short clip that could be fake once must not be seen as real three times, or
        being short is a clue.
        """
        return max(1, round(self.real_per_clip * num_variants / self.per_clip))


def _first_that_works(
    studio: VariantWriter, number: int, tries: Iterable[Recipe], lenders: Donors, original: int
) -> Entry:
    """Write a variant with the first recipe that the clip can be forged with."""
    reason = FeatureError("it has neither a face nor audio to forge; give a clip that has one")
    for recipe in tries:
        try:
            return studio.forge(number, recipe, lenders, original=original)
        except FeatureError as error:
            reason = error
    raise reason


def _all_made(
    workshop: ClipForging, workers: int, on_progress: OnProgress | None
) -> list[ClipResult]:
    """Return what was made of each clip, in the order of the clips.

    The metadata are written even if the run is stopped: what is done can be used.
    """
    sources = workshop.sources
    # The longest first, so that no process works on alone at the end.
    order = sorted(range(len(sources)), key=lambda i: -(sources[i].media.duration_s or 0.0))
    found: dict[int, ClipResult] = {}
    try:
        queue = [sources[i] for i in order]
        for place, made in work_on(workshop, queue, workers=workers):
            found[order[place]] = made
            if on_progress is not None:
                on_progress(len(found), len(sources), queue[place].name)
    finally:
        workshop.ledger.publish(found[i] for i in sorted(found))
    return [found[i] for i in sorted(found)]


def _summary(
    ledger: Manifest, made: Sequence[ClipResult], skipped_before: Sequence[Skipped], cast: ForgerSet
) -> ForgeSummary:
    skipped = (*skipped_before, *(skip for one in made for skip in one.skipped))
    entries = [entry for one in made for entry in one.entries]
    num_fake = sum(bool(entry["n_fakes"]) for entry in entries)
    if not num_fake:
        reasons = "; ".join(map(str, skipped[:3]))
        raise DatasetError(f"nothing could be fake ({reasons}); give other clips")
    return ForgeSummary(
        metadata=ledger.metadata,
        num_real=len(entries) - num_fake,
        num_fake=num_fake,
        num_resumed=sum(one.resumed for one in made),
        written_s=sum(e["duration"] for one in made if not one.resumed for e in one.entries),
        skipped=skipped,
        left_out=cast.left_out,
    )
