"""Files of predictions in each format, as tests write them."""

import json
import runpy
from pathlib import Path

import numpy as np

from mmmsba_plugin.report.writers import write_json

REPORT = runpy.run_path(str(Path(__file__).parents[2] / "golden" / "make_report.py"))["report"]()
ROWS = {"000001.mp4": [[0.9, 1.0, 2.5], [0.4, 3.0, 3.2]], "000002.mp4": []}
LINES = "000001.mp4;0.9128\n000002.mp4;0.05\n"
ENTRIES = {
    "000001": [
        {"label": "Fake", "score": 0.9, "segment": [1.0, 2.5]},
        {"label": "Fake", "score": 0.4, "segment": [3.0, 3.2]},
    ],
    "000002": [],
}


def write_file(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def activitynet(folder, results=None, *, name="results.json"):
    whole = {"version": "VERSION 1.3", "external_data": [], "results": results or ENTRIES}
    return write_file(folder, name, whole)


def rows_of(predictions):
    """Return proposals as the file of AV-Deepfake1M has them."""
    table = predictions.proposals
    rows = np.column_stack([table.scores, table.spans]).tolist()
    return {
        key: rows[start:end]
        for key, start, end in zip(table.keys, table.offsets, table.offsets[1:], strict=False)
    }


def report_of(path, report=REPORT):
    return report.model_copy(update={"media": report.media.model_copy(update={"path": path})})


def write_report(path, report):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        write_json(report, stream)
    return path
