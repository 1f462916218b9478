"""The two face models that ship with the package, and their hashes.

Who made them and under which licence stands in ``NOTICE`` beside this file.
"""

from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

from mmmsba_plugin.files import read_bundled

if TYPE_CHECKING:
    import cv2

DETECTOR = "face_detection_back.tflite"
MESH = "face_landmark.tflite"

SHA256 = {
    DETECTOR: "e376cf6b168d5ece8a3cedb94acc4eb168a136aede125ccc3d903ef38f5beda8",
    MESH: "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
}


def load_network(name: str) -> "cv2.dnn.Net":
    """Load a shipped model as a ``cv2.dnn`` network.

    Raises:
        ModelFileError: The file is not the one that was shipped.
    """
    import cv2

    read_bundled(__package__, name, sha256=SHA256[name])
    # OpenCV 5's default engine returns only one of the two outputs of these files, and its
    # reader of bytes takes no other; version 4 has no engines to choose from.
    classic: dict[str, Any] = (
        {"engine": cv2.dnn.ENGINE_CLASSIC} if hasattr(cv2.dnn, "ENGINE_CLASSIC") else {}
    )
    with as_file(files(__package__).joinpath(name)) as path:
        return cv2.dnn.readNetFromTFLite(str(path), **classic)


def verify() -> None:
    """Check both shipped models.

    Raises:
        ModelFileError: One is missing, or not the one that was shipped.
    """
    for name, sha256 in SHA256.items():
        read_bundled(__package__, name, sha256=sha256)
