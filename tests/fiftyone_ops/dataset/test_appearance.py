"""Tests of how our fields look in the App, and of colors that everybody tells apart."""

import itertools
import re
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest

from fiftyone_ops.tasks.detect import annotate

STYLES = Path(__file__).parents[3] / "fiftyone_ops" / "panel" / "src" / "styles.ts"
#: Colors that stand for different things side by side, by their names in the panels.
SIDE_BY_SIDE = ("fake", "curve", "reference", "reviewed", "hatch")

#: What people without one kind of cones see of linear sRGB: Machado, Oliveira and Fernandes 2009,
#: "A physiologically-based model for simulation of color vision deficiency", severity 1.0.
COLOR_VISION = {
    "trichromacy": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
#: From linear sRGB to CIE XYZ, with white at 1.
TO_XYZ = np.array([[0.4339, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0177, 0.1095, 0.8728]])
#: Differences of this size in CIELAB are seen at a glance; a just noticeable one is 2.3.
AT_A_GLANCE = 15


def panel_colors(scheme: str) -> dict[str, str]:
    """Return the colors of the panels in a theme, by their names."""
    dark, light = STYLES.read_text(encoding="utf-8").split('[data-mui-color-scheme="light"]')
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark if scheme == "dark" else light))


def lab(color: str, vision) -> np.ndarray:
    """Return a color in CIELAB, as somebody with that vision sees it."""
    coded = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(TO_XYZ @ np.clip(np.asarray(vision) @ linear, 0.001, 1))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", COLOR_VISION)
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_everybody_tells_the_colors_apart(scheme, vision):
    colors = {
        name: lab(color, COLOR_VISION[vision])
        for name, color in panel_colors(scheme).items()
        if name in SIDE_BY_SIDE
    }
    assert len(colors) == len(SIDE_BY_SIDE)
    near = {
        pair: round(float(np.linalg.norm(colors[pair[0]] - colors[pair[1]])), 1)
        for pair in itertools.combinations(colors, 2)
    }
    assert {pair: distance for pair, distance in near.items() if distance < AT_A_GLANCE} == {}


def test_grid_and_player_have_the_colors_of_the_panels(named_dataset, toy):
    named_dataset.add_sample_field(
        "ground_truth", fo.EmbeddedDocumentField, embedded_doc_type=fo.TemporalDetections
    )
    annotate(named_dataset, detector=toy)
    panel, scheme = panel_colors("dark"), named_dataset.app_config.color_scheme
    assert scheme.color_by == "value"
    values = {
        (field["path"], value["value"]): value["color"]
        for field in scheme.fields
        for value in field["valueColors"]
    }
    expected = {
        ("forgeries", "audio"): "fake",
        ("forgeries", "unknown"): "fake",
        ("forgeries_verdict", "fake"): "fake",
        ("forgeries_verdict", "not flagged"): "curve",
        ("forgeries_verdict", "abstained"): "hatch",
        ("forgeries_opt_outs", "lips not evaluated"): "hatch",
        ("forgeries_reviewed", "both"): "reviewed",
        ("ground_truth", "visual"): "reference",
    }
    assert {key: values[key] for key in expected} == {
        key: panel[name] for key, name in expected.items()
    }


def test_opt_outs_look_apart_and_show_only_on_request(evaluated):
    config = evaluated.app_config
    assert not config.active_fields.exclude
    assert set(config.active_fields.paths) >= {"forgeries", "forgeries_verdict"}
    assert not {"forgeries_opt_outs", "filepath", "metadata.size_bytes"} & set(
        config.active_fields.paths
    )
    colors = {field["path"]: field["fieldColor"] for field in config.color_scheme.fields}
    assert colors["forgeries_opt_outs"] not in (colors["forgeries"], colors["forgeries_verdict"])
    assert "no proof that the clip is real" in evaluated.get_field("forgeries_verdict").description


def test_a_further_run_is_shown_where_the_one_before_is(named_dataset, toy):
    annotate(named_dataset, detector=toy)
    annotate(named_dataset, detector=toy, label_field="second")
    paths = named_dataset.app_config.active_fields.paths
    assert {"forgeries", "forgeries_verdict", "second", "second_verdict"} <= set(paths)
    assert "second_opt_outs" not in paths


def test_what_somebody_set_up_in_the_app_stays(named_dataset, toy):
    mine = {"path": "forgeries", "fieldColor": "#ff0000"}
    named_dataset.app_config.active_fields = fo.ActiveFields(paths=["forgeries"])
    named_dataset.app_config.color_scheme = fo.ColorScheme(color_by="value", fields=[mine])
    named_dataset.save()
    annotate(named_dataset, detector=toy)
    config = named_dataset.app_config
    assert (config.active_fields.exclude, config.active_fields.paths) == (None, ["forgeries"])
    assert config.color_scheme.color_by == "value"
    assert [field for field in config.color_scheme.fields if field["path"] == "forgeries"] == [mine]
