"""``mmmsba detect``: detect in clips and write their reports."""

import os
import re
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmmsba_plugin.cli import _detectors, _exit_codes
from mmmsba_plugin.errors import MmmsbaError

if TYPE_CHECKING:
    from mmmsba_plugin.cli._batch import Batch
    from mmmsba_plugin.cli._detectors import BatchDetector
    from mmmsba_plugin.distributed import RayConfig
    from mmmsba_plugin.hookspecs import Writer


class Engine(StrEnum):
    """Engine that runs detection: this machine, or a Ray cluster."""

    LOCAL = "local"
    RAY = "ray"


class Runtime(StrEnum):
    """Runtime of the network."""

    TORCH = "torch"
    ONNX = "onnx"


def detect(
    clips: Annotated[
        list[Path],
        typer.Argument(
            metavar="CLIP",
            help="Files to detect in; folders, whose videos are found; patterns in quotes, such as "
            "`'tapes/**/*.mp4'`; lists of names, one a line, as LIST.txt or @LIST; - for such a "
            "list from standard input.",
        ),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Folder of the reports; beside each clip, as CLIP.mmmsba.json, if not given.",
        ),
    ] = None,
    checkpoint: _detectors.Checkpoint = None,
    formats: Annotated[
        str,
        typer.Option(
            "--format", metavar="NAMES", help="Writers, separated by commas; see `mmmsba plugins`."
        ),
    ] = "json,html",
    detector: _detectors.DetectorName = "mmms-ba",
    fpr: _detectors.FalsePositiveRate = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            min=0,
            max=1,
            help="Probability from which a clip counts as fake, and a segment; instead of --fpr.",
        ),
    ] = None,
    audio_track: Annotated[
        str | None,
        typer.Option(
            metavar="N",
            help="Audio track to evaluate, counted from 1 in the file's order, or `all` for each "
            "of them, of which the one with the highest score is reported; the first that is not "
            "silent if not given, beginning with the default one.",
        ),
    ] = None,
    face_track: Annotated[
        str | None,
        typer.Option(
            metavar="N",
            help="Face to evaluate, by the number that the report of all of them gives it; `main` "
            "for the largest one alone, which costs least; `all` for each of up to four at a time, "
            "of which the one with the highest score counts, as if not given.",
        ),
    ] = None,
    trim_silence: _detectors.TrimSilence = None,
    summary: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Table of all clips, .csv or .parquet (needs the extra `tables`); of several "
            "clips, -o has summary.csv in any case.",
        ),
    ] = None,
    runtime: Annotated[
        Runtime | None,
        typer.Option(
            help="What runs the network: torch, or onnx where it was exported; torch wherever "
            "there are weights for it, if not given.",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(help="Device of the network, such as cuda; the processor if not given."),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1, help="Threads of each process; what its libraries choose if not given."
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Leave out clips that this detector has reported on before."),
    ] = False,
    workers: Annotated[
        int,
        typer.Option(
            min=0,
            help="Processes to detect in, each with a clip; 0 for one per core, or for as many as "
            "a cluster has room for.",
        ),
    ] = 1,
    engine: Annotated[
        Engine,
        typer.Option(
            help="Where to detect: local, on this machine; or ray, on a Ray cluster whose nodes "
            "read the clips under the same names (needs the extra `ray`).",
        ),
    ] = Engine.LOCAL,
    ray_address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            envvar="RAY_ADDRESS",
            help="Ray cluster to detect on, which this machine is part of; one of this machine "
            "alone if not given.",
        ),
    ] = None,
    gpus_per_worker: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            min=0,
            help="GPUs that each worker on a Ray cluster takes, such as 0.25 for four on one; "
            "use with --device cuda.",
        ),
    ] = None,
    no_isolation: Annotated[
        bool,
        typer.Option(
            "--no-isolation",
            help="Detect in this very process, or in Ray's workers themselves, which suits clips "
            "that you trust: here, a clip that crashes a codec ends the run.",
        ),
    ] = False,
    time_limit_s: Annotated[
        float,
        typer.Option(
            "--time-limit",
            metavar="SECONDS",
            min=0,
            help="Seconds that a clip may take, with 20 more for each second that it lasts; 0 for "
            "no limit.",
        ),
    ] = 120,
    memory_limit_mib: Annotated[
        float,
        typer.Option(
            "--memory-limit",
            metavar="MIB",
            min=0,
            help="Memory that a clip may take in MiB, the detector's own aside; 0 for no limit.",
        ),
    ] = 4096,
) -> None:
    """Detect fake segments in clips: the score of each clip, and where, in which modality.

    A clip that cannot be evaluated gets a report that says why, and the rest go on. Of clips with
    the same bytes one is evaluated. Ctrl-C stops once the clips in hand are complete.
    """
    from mmmsba_plugin.cli._clips import clips_of
    from mmmsba_plugin.plugins import lookup
    from mmmsba_plugin.workers import Limits

    chosen = [name.strip() for name in formats.split(",") if name.strip()]
    writers: dict[str, Writer] = {name: lookup("writers", name) for name in chosen}
    if resume and "json" not in writers:
        raise typer.BadParameter("--resume reads the json reports; add json to --format")
    if fpr is not None and threshold is not None:
        raise typer.BadParameter("--threshold and --fpr both choose a threshold; leave one out")
    cluster = _cluster(engine, ray_address, workers, threads, gpus_per_worker)
    if no_isolation and workers != 1 and cluster is None:
        raise typer.BadParameter("--workers detect in isolation; leave out --no-isolation")
    settings = {"runtime": runtime and runtime.value, "device": device, "threads": threads}
    runs_on = {name: value for name, value in settings.items() if value is not None}
    options: dict[str, int | str] = {}
    if audio_track is not None:
        options["audio_track"] = _track("--audio-track", audio_track, "all")
    if face_track is not None:
        options["face_track"] = _track("--face-track", face_track, "main", "all")
    if trim_silence is not None:
        options["trim_silence"] = trim_silence
    limits = Limits(
        floor_s=time_limit_s,
        per_second=Limits().per_second if time_limit_s else None,
        memory_mib=memory_limit_mib or None,
    )
    names = list(clips_of(clips))
    with _detectors.engine(
        _detectors.detector_choice(
            detector, checkpoint, fpr=fpr, threshold=threshold, options=runs_on
        ),
        workers=min(workers or os.cpu_count() or 1, max(1, len(names))),
        limits=None if no_isolation else limits,
        cluster=cluster,
    ) as entered:
        # Workers load meanwhile.
        from mmmsba_plugin.cli import _console
        from mmmsba_plugin.cli._batch import Batch

        tables = [] if summary is None else [summary]
        batch = Batch(names, output, writers, _console.console(), tables)
        _detect(batch, entered, resume=resume, **options)


def _cluster(
    engine: Engine, address: str | None, workers: int, threads: int | None, gpus: float | None
) -> "RayConfig | None":
    """Return the workers of a Ray cluster that are asked for; None to detect on this machine.

    Raises:
        BadParameter: An option is of the other engine.
    """
    from mmmsba_plugin.distributed import RayConfig

    if engine is Engine.RAY:
        return RayConfig(address, workers or None, cpus=threads or 1, gpus=gpus or 0.0)
    for name, value in (("--ray-address", address), ("--gpus-per-worker", gpus)):
        if value is not None:
            raise typer.BadParameter(f"{name} is of a Ray cluster; add --engine ray")
    return None


def _detect(
    batch: "Batch", detector: "BatchDetector", *, resume: bool, **options: int | str
) -> None:
    """Detect in the clips of a batch, and write their reports and its table.

    Raises:
        BadParameter: The detector does not heed an option.
        Exit: A clip could not be evaluated, or its report not be written; or it was stopped.
    """
    from mmmsba_plugin.file_detection import with_choices

    # What is wrong with the detector shall be said before anything is written.
    info = detector.info
    for option in options.keys() - set(info.get("options", ())):
        raise typer.BadParameter(f"the detector does not say that it heeds {option}; leave it out")
    batch.require_writable()
    if resume:
        config = with_choices(info.get("config", {}), **options)
        batch.leave_out_reported({**info, "config": config})
        batch.console.print(f"{len(batch.rows)} of {len(batch.names)} clips were evaluated before")
    # What the page alone shows; it changes nothing else, so that --resume need not know of it.
    if "html" in batch.writers and "attention" in info.get("options", ()):
        options["attention"] = True
    try:
        batch.detect(detector, command=shlex.join(["mmmsba", *sys.argv[1:]]), **options)
    except MmmsbaError:
        batch.tell_how_to_resume()
        raise
    batch.write_summary()
    if batch.is_stopped:
        batch.tell_how_to_resume()
        raise typer.Exit(_exit_codes.STOPPED)
    if not batch.is_well:
        raise typer.Exit(_exit_codes.NOT_EVALUATED)


def _track(option: str, text: str, *words: str) -> int | str:
    """Read the number of a track, or one of some words.

    Raises:
        BadParameter: It is neither.
    """
    if text in words:
        return text
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        choices = ", or ".join(["a number from 1", " or ".join(words)])
        raise typer.BadParameter(f"{option} takes {choices}, got {text!r}")
    return int(text)
