"""A plug-in file whose detector does to its process what the name of a clip says."""

from pathlib import Path

PLUGIN = """
import os, signal, time
from pathlib import Path
from mmmsba_plugin.hookspecs import DetectorEntry, hookimpl
from mmmsba_plugin.report.build import unread
from mmmsba_plugin.schema import Provenance, Report, Threshold

MADE_BY = Provenance(
    package_version="0", api_version="2.0", formula_version=1, detector="hostile",
    checkpoint="none",
)

#: Whoever wants to know of each load makes this file: a line each, the Ray node and its GPUs.
LOADS = Path(__file__).with_name("loads.txt")

def load(path):
    if LOADS.exists():
        names = ("RAY_RAYLET_PID", "CUDA_VISIBLE_DEVICES")
        with LOADS.open("a") as file:
            print(*(os.environ.get(name) for name in names), file=file)
    return Hostile()

class Hostile:
    info = {"name": "hostile", **MADE_BY.model_dump(mode="json", exclude={"command"})}

    def __init__(self, value=0.5):
        self.value = value

    def at_false_positive_rate(self, rate):
        return Hostile(1.0 - rate)

    def detect(self, media, **options):
        name = Path(media).name
        # Says, beside this file, which clips were begun.
        Path(__file__).with_name(f"{name}.begun").touch()
        if "segfault" in name:
            os.kill(os.getpid(), signal.SIGSEGV)
        if "hang" in name:
            time.sleep(600)
        if "slow" in name:
            time.sleep(1.0)
        if "bug" in name:
            raise ZeroDivisionError("a bug")
        media = unread(media)
        media = media.model_copy(update={"duration_s": 2.0, "sha256": _hash(media.path)})
        return Report(
            status="ok", media=media, score=0.5, threshold=Threshold(value=self.value),
            provenance=MADE_BY.model_copy(update={"command": options.get("command")}),
        )

def _hash(path):
    from mmmsba_plugin.files import sha256_of
    return sha256_of(Path(path))

@hookimpl
def forensics_detectors():
    yield DetectorEntry(
        name="hostile", summary="Crashes and hangs.", modalities=("audio",), load=load
    )
"""


def hostile_plugin(folder: Path) -> Path:
    """Write the plug-in file into a folder, and return its path."""
    path = folder / "hostile_plugin.py"
    path.write_text(PLUGIN)
    return path
