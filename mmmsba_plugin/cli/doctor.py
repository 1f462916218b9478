"""``mmmsba doctor``: what is missing on this machine, and how to get it."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module, metadata
from itertools import product
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mmmsba_plugin.cli import _exit_codes

if TYPE_CHECKING:
    from packaging.requirements import Requirement

State = Literal["ok", "optional", "missing"]

_OWN = "mmmsba-plugin"
_REINSTALL = f"install it with: pip install {_OWN}"

#: Entry points of functions that yield checks.
_CHECKS = "mmmsba.checks"

#: Modules that are not called like their package.
_MODULES = {"opencv-python-headless": "cv2", "pysimdjson": "simdjson"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What.
        state: ``missing`` if detection cannot run so, ``optional`` if something else cannot.
        detail: What was found, or what to do.
    """

    name: str
    state: State
    detail: str


def doctor(
    *, json: Annotated[bool, typer.Option("--json", help="Print JSON, not a table.")] = False
) -> None:
    """Check what is missing on this machine, and print how to get it."""
    checks = list(examine())
    healthy = all(check.state != "missing" for check in checks)
    if json:
        from json import dumps

        typer.echo(dumps({"ok": healthy, "checks": [asdict(c) for c in checks]}, indent=2))
    else:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table("what", "state", "found, or what to do", box=None)
        colours = {"ok": "green", "optional": "yellow", "missing": "bold red"}
        for check in checks:
            state = Text(check.state, style=colours[check.state])
            table.add_row(Text(check.name), state, Text(check.detail))
        Console().print(table)
    if not healthy:
        raise typer.Exit(_exit_codes.STOPPED)


def examine() -> Iterator[Check]:
    """Yield checks, one after the other; none of them raises."""
    for name, look in _LOOKS.items():
        try:
            yield from look()
        # A library that is installed but broken raises anything, such as OSError for a
        # missing system library; that is a finding here, not a crash.
        except Exception as error:  # noqa: BLE001
            yield Check(name, "missing", f"{type(error).__name__}: {error}")


def check_python() -> Iterator[Check]:
    """Check the Python interpreter and this package."""
    import platform

    yield Check("python", "ok", f"{platform.python_version()} on {platform.platform(terse=True)}")
    try:
        yield Check(_OWN, "ok", metadata.version(_OWN))
    except metadata.PackageNotFoundError:
        yield Check(_OWN, "missing", _REINSTALL)


def check_packages() -> Iterator[Check]:
    """Check the packages that are always needed: their versions, and whether they import."""
    for requirement in _requirements(extra=""):
        check = _package(requirement, "missing", _REINSTALL)
        if check.state == "ok":
            # What is installed may still be broken.
            try:
                import_module(_MODULES.get(check.name, check.name))
            except Exception as error:  # noqa: BLE001 - see `examine`
                detail = f"{check.detail} does not import: {error!r}"
                check = Check(check.name, "missing", detail)
        yield check


def check_extras() -> Iterator[Check]:
    """Check the packages that only some extras bring."""
    offered = metadata.metadata(_OWN).get_all("Provides-Extra") or []
    by_extra = {extra: _requirements(extra) for extra in offered if extra != "dev"}
    own_names = {requirement.name for requirement in _requirements(extra="")}
    # The smallest extra that brings a package is the one to name.
    for extra in sorted(by_extra, key=lambda extra: len(by_extra[extra])):
        for requirement in by_extra[extra]:
            if requirement.name not in own_names:
                own_names.add(requirement.name)
                yield _package(requirement, "optional", f"pip install '{_OWN}[{extra}]'")


def _requirements(extra: str) -> "list[Requirement]":
    """List the requirements of an extra; with no extra, those that are always needed."""
    from packaging.requirements import Requirement

    requirements = [Requirement(line) for line in metadata.requires(_OWN) or ()]
    return [
        requirement
        for requirement in requirements
        if (requirement.marker is not None and "extra" in str(requirement.marker)) == bool(extra)
        and (requirement.marker is None or requirement.marker.evaluate({"extra": extra}))
    ]


def _package(
    requirement: "Requirement", if_not: Literal["optional", "missing"], remedy: str
) -> Check:
    """Check the version of a package, or of another one that brings the same module."""
    module = _MODULES.get(requirement.name)
    rivals = metadata.packages_distributions().get(module, []) if module else []
    for name in (requirement.name, *rivals):
        with suppress(metadata.PackageNotFoundError):
            version = metadata.version(name)
            if requirement.specifier.contains(version, prereleases=True):
                return Check(requirement.name, "ok", version)
            detail = f"{version} is not {requirement.specifier}; {remedy}"
            return Check(requirement.name, if_not, detail)
    return Check(requirement.name, if_not, f"not installed; {remedy}")


def check_face_models() -> Iterator[Check]:
    """Check the hashes of the face models, and whether they load."""
    from mmmsba_plugin.tracks.models import DETECTOR, MESH, load_network, verify

    verify()
    for name in (DETECTOR, MESH):
        load_network(name)
    yield Check("face models", "ok", f"{DETECTOR} and {MESH}: right hash, and they load")


def check_encoders() -> Iterator[Check]:
    """Check the hashes of the encoders, and whether they load."""
    from mmmsba_plugin.features.embeddings import image, quality, speaker, spoofing, sync

    for module in (speaker, spoofing, quality, image, sync):
        module.load_encoder()
        yield Check("encoders", "ok", f"{module.FILE}: right hash, and it loads")


def check_codecs() -> Iterator[Check]:
    """Check whether PyAV decodes and encodes the usual codecs."""
    from av.codec.codec import Codec, UnknownCodecError

    ways: tuple[tuple[Literal["r", "w"], str, State], ...] = (
        ("r", "read", "missing"),
        ("w", "write", "optional"),
    )
    for (mode, what, if_not), name in product(ways, ("h264", "aac")):
        try:
            codec = Codec(name, mode)
            yield Check(f"{what} {name}", "ok", f"by {codec.name}")
        except UnknownCodecError:
            remedy = "reinstall PyAV from its own wheel: pip install --force-reinstall av"
            yield Check(f"{what} {name}", if_not, f"PyAV cannot; {remedy}")


def check_compute() -> Iterator[Check]:
    """Check the threads and the accelerator of torch."""
    import torch

    yield Check("torch threads", "ok", f"{torch.get_num_threads()}; OMP_NUM_THREADS sets them")
    device = "none: the processor does the work"
    if torch.cuda.is_available():
        device = torch.cuda.get_device_name()
    elif torch.backends.mps.is_available():
        device = "mps"
    yield Check("accelerator", "ok", device)


def check_plugins() -> Iterator[Check]:
    """Check the plug-ins, our own among them."""
    from mmmsba_plugin.plugins import OWN_NAME, states

    plugin_states = states()
    for s in plugin_states:
        fault: State = "missing" if s.name == OWN_NAME else "optional"
        detail = f"{s.origin}: {s.state}" + (f", {s.reason}" if s.reason else "")
        yield Check(f"plug-in {s.name}", "ok" if s.state == "loaded" else fault, detail)
    if OWN_NAME not in {s.name for s in plugin_states}:
        yield Check(f"plug-in {OWN_NAME}", "missing", f"our own parts; {_REINSTALL}")


def check_checkpoint() -> Iterator[Check]:
    """Check the bundled weights, or those that the environment names."""
    from mmmsba_plugin import weights
    from mmmsba_plugin.detector import MmmsbaDetector
    from mmmsba_plugin.errors import CheckpointNotFoundError, MmmsbaError

    try:
        info = MmmsbaDetector.from_pretrained().info
    except MmmsbaError as error:
        if weights.folder() is None and isinstance(error, CheckpointNotFoundError):
            yield Check("checkpoint", "optional", str(error))
        else:
            remedy = (
                f"{weights.VARIABLE} names it: unset that to use the bundled weights"
                if os.environ.get(weights.VARIABLE)
                else "the bundled one comes back with: pip install --force-reinstall --no-deps "
                f"{_OWN}"
            )
            yield Check("checkpoint", "missing", f"{error}; {remedy}")
        return
    summary = f"{info['checkpoint']}: its weights have the hash they should have"
    yield Check("checkpoint", "ok", f"{summary}, and load; learned from: {info['trained_on']}")


def check_offered() -> Iterator[Check]:
    """Check what other packages offer checks of, such as the plugin for FiftyOne."""
    for point in metadata.entry_points(group=_CHECKS):
        # Detection runs without it, and a broken one must not take the others with it.
        try:
            yield from point.load()()
        except Exception as error:  # noqa: BLE001 - a stranger's code can raise anything
            yield Check(point.name, "optional", f"{type(error).__name__}: {error}")


#: What is looked at, in this order; the name is for a look that fails altogether.
_LOOKS: dict[str, Callable[[], Iterator[Check]]] = {
    "python": check_python,
    "packages": check_packages,
    "extras": check_extras,
    "face models": check_face_models,
    "encoders": check_encoders,
    "codecs": check_codecs,
    "plug-ins": check_plugins,
    "torch": check_compute,
    "checkpoint": check_checkpoint,
    "offered": check_offered,
}
