"""Keeps on disk which run a folder holds, so that a run can go on, and no other is overwritten."""

import json
from pathlib import Path
from typing import Any

from mmmsba_plugin.config import FitConfig, Origin
from mmmsba_plugin.errors import TrainingError

#: Folder of what a run needs to go on, inside the checkpoint's folder.
_STATE = "training"
_RUN = "run.json"


class RunConfig(FitConfig):
    """Settings that decide a run."""

    tuned_from: Origin | None = None

    def without_end(self) -> dict[str, Any]:
        """Return the settings but for those of a run's end.

        More epochs are the same run going on; calibration is fitted, thresholds are chosen, and
        words are written, when it is over.
        """
        settings = self.model_dump(
            mode="json",
            exclude={
                "calibration",
                "false_positive_rate",
                "score_threshold",
                "trained_on",
                "caution",
            },
        )
        del settings["train"]["max_epochs"]
        return settings


def claim_run(out: Path, settings: RunConfig) -> None:
    """Write down which run a folder holds.

    Args:
        out: Folder of the checkpoint.
        settings: Settings of the run.

    Raises:
        TrainingError: The folder holds another run.
    """
    file = out / _STATE / _RUN
    if file.is_file():
        try:
            before = RunConfig.read(json.loads(file.read_text(encoding="utf-8"))).without_end()
        except (ValueError, RecursionError):
            # Of another version of the package, or damaged.
            before = {}
        if before != settings.without_end():
            raise TrainingError(
                f"{out} holds a training run with other settings; choose another folder with -o, "
                "or remove this one"
            )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(settings.model_dump_json(indent=2), encoding="utf-8")


def member_state(out: Path, index: int) -> Path:
    """Return the folder of what one network of a run needs to go on.

    Args:
        out: Folder of the checkpoint.
        index: Number of the network in the ensemble.
    """
    return out / _STATE / (f"member-{index}" if index else "")
