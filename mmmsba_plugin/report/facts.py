"""Facts of a report's page: the file, what it says of its making, and where numbers are from."""

import shlex
from collections.abc import Iterator

from mmmsba_plugin.schema import Edit, FileTraces, Media, Provenance, Report
from mmmsba_plugin.timebase import clock

#: A label and its value.
Fact = tuple[str, str]

_C2PA = {
    True: "present; whether it holds is not checked here",
    False: "none",
    None: "not looked for in this format",
}


def media_facts(media: Media) -> Iterator[Fact]:
    """Yield the facts of a file: hash, streams and tracks."""
    yield "File", media.path
    yield from _fact_if_known("SHA-256", media.sha256)
    yield from _fact_if_known("Size", media.size_bytes, " bytes")
    yield from _fact_if_known("Container", media.container)
    if media.duration_s is not None:
        yield "Duration", f"{clock(media.duration_s)} ({media.duration_s:.3f} s)"
    # A file without a container was not opened, so what is in it is not known.
    if media.container is None and not media.video and not media.audio:
        return
    facts = ["none"]
    if video := media.video:
        facts = [video.codec, f"{video.width_px} × {video.height_px} px"]  # noqa: RUF001 - a times sign
        if video.fps_hz is not None:
            facts.append(f"{video.fps_hz:.3f} frames a second on average")
        if video.rotation_deg:
            facts.append(f"turned by {video.rotation_deg}°, which was undone")
        facts.append(f"from {clock(video.start_s)}")
    yield "Frame", ", ".join(facts)
    facts = ["none"]
    if audio := media.audio:
        channels = f"{audio.channels} channel{'' if audio.channels == 1 else 's'}"
        start = f"from {clock(audio.start_s)}"
        facts = [audio.codec, f"{audio.sample_rate_hz} Hz", channels, start]
        if audio.track is not None:
            facts.append(f"audio track {audio.track}")
    yield "Audio", ", ".join(facts)
    yield from _fact_if_known("Not evaluated", ", ".join(media.others) or None)
    if media.joins_s:
        yield "Time stamps jump", ", ".join(clock(join_s) for join_s in media.joins_s)


def trace_facts(traces: FileTraces | None) -> Iterator[Fact]:
    """Yield the traces in a file of how it was made: C2PA, edit lists, tags."""
    if traces is None:
        return
    yield "C2PA manifest", _C2PA[traces.c2pa]
    yield "Edit list", "; ".join(map(_edit, traces.edits)) or "none"
    yield from traces.tags.items()


def _edit(edit: Edit) -> str:
    start_s = edit.media_start_s
    what = "a pause" if start_s is None else f"from {start_s:.3f} s of it"
    speed = "" if edit.rate == 1 else f", at {edit.rate:g} of its speed"
    return f"track {edit.track}: {edit.duration_s:.3f} s, {what}{speed}"


def provenance_facts(provenance: Provenance) -> Iterator[Fact]:
    """Yield the sources of the numbers: software, weights, plug-ins."""
    # Detectors of others need not state versions.
    if provenance.package_version:
        yield "Made by", f"mmmsba-plugin {provenance.package_version}"
    yield from _fact_if_known("Made at", provenance.created_utc)
    yield from _fact_if_known("Command", provenance.command)
    yield "Detector", provenance.detector
    yield from _fact_if_known("Checkpoint", provenance.checkpoint)
    yield from _fact_if_known("SHA-256 of its weights", provenance.checkpoint_sha256)
    yield from _fact_if_known("Learned from", provenance.trained_on)
    yield "Calibration", provenance.calibration
    yield from _front_ends(provenance)
    yield from _fact_if_known("Formula version", provenance.formula_version or None)
    yield from _fact_if_known("Plug-in interface", provenance.api_version or None)


def _front_ends(provenance: Provenance) -> Iterator[Fact]:
    """Yield the front-end of each modality, with its version and the plug-in that has it."""
    from mmmsba_plugin.plugins import entries

    offers = {offer.name: offer.plugin for offer in entries("front_ends") if offer.entry}
    versions = provenance.config.get("front_end_versions", {})
    chosen = provenance.config.get("features", {}).get("front_ends", {})
    for modality, choice in chosen.items():
        name = choice["name"]
        version = f", version {versions[modality]}" if modality in versions else ""
        plugin = f", of {offers[name]}" if name in offers else ""
        yield f"Front-end of {modality}", f"{name}{version}{plugin}"


def command_again(report: Report) -> str:
    """Return a command line that evaluates the clip of a report again, as it was evaluated.

    Args:
        report: The report.

    Example:
        >>> from mmmsba_plugin.schema import Problem
        >>> made_by = Provenance(
        ...     package_version="1", api_version="3.0", formula_version=1, detector="mmms-ba",
        ...     checkpoint="fast", config={"audio_track": 2},
        ... )
        >>> problem = Problem(kind="MediaUnreadableError", message="it is empty; copy it again")
        >>> report = Report(
        ...     status="error", media=Media(path="a b.mp4"), problem=problem, provenance=made_by
        ... )
        >>> command_again(report)
        "mmmsba detect 'a b.mp4' --checkpoint fast --audio-track 2"
    """
    provenance = report.provenance
    options: dict[str, object] = {}
    if provenance.detector != "mmms-ba":
        options["--detector"] = provenance.detector
    if provenance.checkpoint not in (None, "bundled"):
        options["--checkpoint"] = provenance.checkpoint
    if report.threshold and (rate := report.threshold.false_positive_rate) is not None:
        options["--fpr"] = f"{rate:g}"
    # Whoever cuts no segments by the threshold has but one.
    elif report.threshold and "localization" in provenance.config:
        options["--threshold"] = report.threshold.value
    for name in ("audio_track", "face_track"):
        if (track := provenance.config.get(name)) is not None:
            options[f"--{name.replace('_', '-')}"] = track
    words = [str(word) for option in options.items() for word in option]
    if (is_trimmed := provenance.config.get("trim_silence")) is not None:
        words.append("--trim-silence" if is_trimmed else "--no-trim-silence")
    plugins = [word for file in _plugin_files(provenance) for word in ("--plugin", file)]
    return shlex.join(["mmmsba", *plugins, "detect", report.media.path, *words])


def _plugin_files(provenance: Provenance) -> list[str]:
    """Return the files that the detector and the front-ends of a report were loaded from."""
    from mmmsba_plugin.plugins import entries

    chosen = provenance.config.get("features", {}).get("front_ends", {})
    names = {choice["name"] for choice in chosen.values()}
    offers = [offer for offer in entries("front_ends") if offer.entry and offer.name in names]
    offers += [offer for offer in entries("detectors") if offer.name == provenance.detector]
    return sorted({offer.plugin.file for offer in offers if offer.plugin.file})


def _fact_if_known(label: str, value: object, unit: str = "") -> list[Fact]:
    return [] if value is None else [(label, f"{value}{unit}")]
