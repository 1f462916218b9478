"""The detector of a third party, which scores at once and by the name of a file alone."""

from pathlib import Path

from mmmsba_plugin import hookimpl
from mmmsba_plugin.errors import MediaUnreadableError
from mmmsba_plugin.hookspecs import API_VERSION, DetectorEntry
from mmmsba_plugin.schema import (
    Curves,
    FakeSegment,
    Media,
    ModalityReport,
    OptOut,
    Problem,
    Proposal,
    Provenance,
    Report,
    Threshold,
)

PROVENANCE = Provenance(
    package_version="1", api_version=API_VERSION, formula_version=1, detector="toy"
)


class Toy:
    """Calls forged what is called so, and fails where it is told to."""

    def __init__(self, version: int = 1, threshold: float = 0.5) -> None:
        self.info = {"name": "toy", "modalities": ["audio", "lips"], "version": version}
        self.threshold = threshold
        self.calls: list[str] = []

    def with_threshold(self, probability: float) -> "Toy":
        return Toy(self.info["version"], probability)

    def detect(self, media, **options) -> Report:
        name = Path(media).stem
        self.calls.append(name)
        if "raises" in name:
            raise RuntimeError("out of memory")
        common = {"media": Media(path=str(media), duration_s=2.0), "provenance": PROVENANCE}
        if "nobody" in name:
            problem = Problem(kind="NothingToJudge", message="nobody is seen or heard")
            return Report(status="abstained", problem=problem, **common)
        if not Path(media).is_file():
            problem = Problem(kind="MediaNotFoundError", message=f"there is no file at {media}")
            return Report(status="error", problem=problem, **common)
        threshold = Threshold(value=self.threshold)
        return Report(status="ok", threshold=threshold, **self._values(name), **common)

    def detect_many(self, media, **options):
        return (self.detect(path) for path in media)

    def predict(self, media) -> float:
        score = self.detect(media).score
        if score is None:
            raise MediaUnreadableError(str(media))
        return score

    def _values(self, name: str) -> dict:
        unseen = OptOut(start_s=1.5, end_s=2.0, reason="no face")
        fake = "forged" in name
        segment = FakeSegment(start_s=0.5, end_s=1.013, score=0.75, modality="audio")
        return {
            "score": 0.75 if fake else 0.25,
            "segments": (segment,) if fake and self.threshold <= 0.75 else (),
            "proposals": (Proposal(start_s=0.5, end_s=1.013, score=0.75),) if fake else (),
            "modalities": {
                "audio": ModalityReport(score=0.75 if fake else 0.25),
                "lips": ModalityReport(score=0.25, opt_outs=(unseen,)),
            },
            "curves": Curves(
                start_s=0.0,
                stride_s=0.5,
                score=(0.25, 0.75, 0.25, None) if fake else (0.25, 0.25, 0.25, None),
                by_modality={"audio": (0.25, 0.75, 0.25, 0.25), "lips": (0.25, 0.25, 0.25, None)},
            ),
        }


@hookimpl
def forensics_detectors():
    """Offer it."""
    yield DetectorEntry(
        name="toy", summary="By the name alone.", modalities=("audio", "lips"), load=lambda _: Toy()
    )
