"""Forge a dataset of partially fake clips from a folder of real ones.

Each real clip is written a few times, and beside it variants with one to three fake
segments; all of them go through processing of their own. All randomness follows from the
seed and the clip's name alone, so a run that was interrupted resumes where it stopped and
ends with the same dataset, whatever the number of processes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmmsba_plugin.datasets.lavdf_metadata import Entry
from mmmsba_plugin.errors import ConfigError, ForgeError, MmmsbaError
from mmmsba_plugin.forge.apply import Refusal
from mmmsba_plugin.forge.donors import Donors
from mmmsba_plugin.forge.manifest import PROGRESS, ClipResult, Manifest
from mmmsba_plugin.forge.recipes import ForgerSet, build_forgers
from mmmsba_plugin.forge.source_clip import FaceTraceStore
from mmmsba_plugin.forge.sources import Skipped, Source, find_sources
from mmmsba_plugin.forge.variants import ForgeConfig, VariantWriter
from mmmsba_plugin.forge.workers import is_portable, map_unordered
from mmmsba_plugin.hookspecs import Forger

#: Called after each real clip with the number of clips that are complete, the number of all,
#: and its name.
OnProgress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class ForgeSummary:
    """The outcome of forging a folder of real clips.

    Attributes:
        metadata: The dataset's list of clips.
        num_real: Real files written.
        num_fake: Forged variants written.
        num_resumed: Real clips that an earlier run had completed.
        written_s: Duration of all files that this run wrote, in seconds.
        skipped: Clips and variants that were not made, and why.
        left_out: Forgers that cannot be used on this machine, and why.
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
    per_fake: int = 0,
    split: str | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    config: ForgeConfig | None = None,
    workers: int = 1,
    on_progress: OnProgress | None = None,
) -> ForgeSummary:
    """Write a dataset of partially fake clips in LAV-DF's layout.

    Args:
        real_dir: Real talking-face clips; if a LAV-DF ``metadata.json`` lies there, its
            identities and splits are used and its fake clips are passed over.
        out_dir: The dataset; clips go into a folder for each split, beside ``metadata.json``.
        per_clip: Forged variants of each real clip.
        seed: Random seed of the whole dataset.
        forgers: Entries of the forgers; those of audio and of frames are used alone and
            together. Those that lack something on this machine are left out.
        real_per_clip: Real files of each real clip, each with processing of its
            own. Where fewer variants can be made, as many fewer are written.
        per_identity: Most forged variants of one identity, spread over its clips, so that
            nobody who was filmed often outweighs the rest; no limit if not given.
        per_fake: Files of each fake of a whole clip that the metadata of ``real_dir`` list,
            processed and encoded as all others.
        split: Only real clips of this split; all if not given.
        settings: Settings of forgers by name, where they are not to be the defaults.
        config: Settings of the dataset.
        workers: Number of processes. A forger that another process cannot import, such as
            one from a file that is no package, keeps all work in this one.
        on_progress: Called after each clip.

    Returns:
        A summary. A clip that cannot be used is named there and does not stop the rest.

    Raises:
        ConfigError: A number or a forger's settings are out of bounds.
        DatasetError: There is no real clip, or ``out_dir`` holds a dataset that was forged
            with other settings.
        ForgeError: No clip could be forged.
        WorkerError: A process died.
    """
    identity_limit = per_clip if per_identity is None else per_identity
    if min(per_clip, real_per_clip, identity_limit, workers, per_fake + 1) < 1 or not forgers:
        raise ConfigError(
            "each clip needs at least one variant, one real file, one forger and one worker, "
            f"and each person one variant, got {per_clip}, {real_per_clip}, {len(forgers)}, "
            f"{workers} and {identity_limit}"
        )
    config, settings = config or ForgeConfig(), settings or {}
    forger_set, manifest = build_forgers(forgers, settings), Manifest(out_dir)
    manifest.open(
        {
            "per_clip": per_clip,
            "real_per_clip": real_per_clip,
            "per_identity": per_identity,
            "seed": seed,
            "split": split,
            "forgers": forger_set.names,
            "settings": {name: dict(values) for name, values in settings.items()},
            "config": config.model_dump(mode="json"),
            **({"per_fake": per_fake} if per_fake else {}),
        }
    )
    sources, skipped = find_sources(
        real_dir,
        seed=seed,
        min_clip_s=config.min_clip_s,
        split=split,
        whole_fakes=bool(per_fake),
    )
    task = ClipTask(
        tuple(sources),
        forger_set,
        manifest,
        config,
        seed,
        per_clip=per_clip,
        real_per_clip=real_per_clip,
        per_identity=per_identity,
        per_fake=per_fake,
    )
    portable = is_portable(*(forger for _, forger in (*forger_set.audios, *forger_set.frames)))
    results = _run(task, workers if portable else 1, on_progress)
    task.traces.delete()
    return _summarize(results, manifest, skipped, forger_set)


@dataclass(frozen=True, slots=True)
class ClipTask:
    """The task of writing all files of one real clip; it can be sent to another process.

    Attributes:
        sources: The real clips.
        forgers: The forgers that can be used.
        manifest: The record of clips that are complete.
        config: Settings of the dataset.
        seed: Random seed of the whole dataset.
        per_clip: Forged variants of each clip.
        real_per_clip: Real files of each clip.
        per_identity: Most forged variants of one identity; None for no limit.
        per_fake: Files of each fake of a whole clip.
    """

    sources: tuple[Source, ...]
    forgers: ForgerSet
    manifest: Manifest
    config: ForgeConfig
    seed: int
    per_clip: int
    real_per_clip: int
    per_identity: int | None = None
    per_fake: int = 0

    @property
    def traces(self) -> FaceTraceStore:
        """The face traces of all clips."""
        folder = self.manifest.out_dir / PROGRESS / "traces"
        return FaceTraceStore(folder, self.config.tracks, self.config.max_short_side_px)

    def __call__(self, source: Source) -> ClipResult:
        """Write all files of one clip, unless an earlier run did."""
        if result := self.manifest.resume(source):
            return result
        try:
            result = self._write(source)
        except MmmsbaError as error:
            result = ClipResult((), (Skipped(source.name, str(error)),))
        self.manifest.save(source, result)
        return result

    def _write(self, source: Source) -> ClipResult:
        out_dir, config = self.manifest.out_dir, self.config
        writer = VariantWriter(source, out_dir, traces=self.traces, config=config, seed=self.seed)
        if source.candidate.fake:
            lone = source.candidate.fake
            whole = [writer.write_whole_fake(n, lone) for n in range(self.per_fake)]
            return ClipResult(tuple(e for e in whole if not isinstance(e, Refusal)))
        donors = Donors(source, self.sources, self.traces, config.sample_rate_hz)
        num_fake = self._num_variants(source)
        num_real = self._num_real(num_fake)
        file_numbers = writer.file_numbers(num_real + num_fake)
        real, fake = file_numbers[:num_real], file_numbers[num_real:]
        variants: list[Entry] = []
        skipped: list[Skipped] = []
        for turn, number in enumerate(fake):
            variant = self._write_variant(writer, number, turn, donors, original=real[0])
            if isinstance(variant, Refusal):
                skipped.append(Skipped(f"{source.name}, variant {turn + 1}", variant.reason))
            else:
                variants.append(variant)
        whole_fakes = [
            writer.write_whole_fake(num_real + num_fake + turn, counterpart, original=real[0])
            for turn, counterpart in enumerate(source.candidate.counterparts * self.per_fake)
        ]
        for entry in whole_fakes:
            if isinstance(entry, Refusal):
                skipped.append(Skipped(f"{source.name}, whole fake", entry.reason))
            else:
                variants.append(entry)
        if not variants:
            return ClipResult((), (Skipped(source.name, skipped[0].reason),))
        copies = [
            writer.write_recut(n, self.forgers, donors)
            if source.candidate.counterparts
            else writer.write_real(n)
            for n in real[: self._num_real(len(variants))]
        ]
        return ClipResult((*copies, *variants), tuple(skipped))

    def _write_variant(
        self, writer: VariantWriter, number: int, turn: int, donors: Donors, *, original: int
    ) -> Entry | Refusal:
        """Write a variant with the first recipe that the clip can be forged with."""
        result: Entry | Refusal = Refusal(
            "it has neither a face nor audio to forge, or no forger applies that was asked for; "
            "give a clip that has one, or for 'counterpart' metadata that name a whole-clip fake"
        )
        for recipe in writer.recipes(self.forgers, turn):
            result = writer.write_fake(number, recipe, donors, original=original)
            if not isinstance(result, Refusal):
                break
        return result

    def _num_variants(self, source: Source) -> int:
        """Return the number of variants of a clip, within the limit of its identity."""
        if self.per_identity is None:
            return self.per_clip
        identity = source.candidate.identity
        num_clips = sum(other.candidate.identity == identity for other in self.sources)
        return min(self.per_clip, max(1, round(self.per_identity / num_clips)))

    def _num_real(self, num_variants: int) -> int:
        """Return the number of real files of a clip that could be forged so often.

        A short clip that could be forged once must not be seen as real three times, or
        being short is a clue.
        """
        return max(1, round(self.real_per_clip * num_variants / self.per_clip))


def _run(task: ClipTask, workers: int, on_progress: OnProgress | None) -> list[ClipResult]:
    """Run the task on each clip, and return the results in the order of the clips.

    The metadata are written even if the run is stopped: the clips that are complete can be used.
    """
    sources = task.sources
    # The longest first, so that no process works on alone at the end.
    order = sorted(range(len(sources)), key=lambda i: -(sources[i].media.duration_s or 0.0))
    results: dict[int, ClipResult] = {}
    try:
        queue = [sources[i] for i in order]
        for place, result in map_unordered(task, queue, workers=workers):
            results[order[place]] = result
            if on_progress is not None:
                on_progress(len(results), len(sources), queue[place].name)
    finally:
        task.manifest.publish(results[i] for i in sorted(results))
    return [results[i] for i in sorted(results)]


def _summarize(
    results: Sequence[ClipResult],
    manifest: Manifest,
    skipped_sources: Sequence[Skipped],
    forgers: ForgerSet,
) -> ForgeSummary:
    skipped = (*skipped_sources, *(skip for result in results for skip in result.skipped))
    entries = [entry for result in results for entry in result.entries]
    num_fake = sum(bool(entry["n_fakes"]) for entry in entries)
    if not num_fake:
        reasons = "; ".join(map(str, skipped[:3]))
        raise ForgeError(f"nothing could be forged ({reasons}); give other clips")
    new_entries = (entry for result in results if not result.resumed for entry in result.entries)
    return ForgeSummary(
        metadata=manifest.metadata,
        num_real=len(entries) - num_fake,
        num_fake=num_fake,
        num_resumed=sum(result.resumed for result in results),
        written_s=sum(entry["duration"] for entry in new_entries),
        skipped=skipped,
        left_out=forgers.left_out,
    )
