"""Tests of thumbnails: decoded once, and told why there is none."""

import base64

import cv2
import numpy as np

from fiftyone_ops.panels.thumbnails import thumbnail
from mmmsba_plugin.media import video

from ..asking import OVERVIEW, ask


def test_a_clip_shows_the_frame_of_the_moment(named_clips):
    response = thumbnail(str(named_clips[0]), 0.5)
    jpeg = base64.b64decode(response.src.partition("base64,")[2])
    rows, columns, _ = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape
    assert min(rows, columns) == 72
    assert response.caption == "Frame at 0:00.48"


def test_a_frame_is_decoded_once(named_clips, monkeypatch):
    first = thumbnail(str(named_clips[1]), 0.75)
    monkeypatch.setattr(video, "frame_at", None)
    assert thumbnail(str(named_clips[1]), 0.75) is first


def test_what_has_no_frame_says_why(evaluated, tmp_path):
    assert "there is no file at" in thumbnail(str(tmp_path / "gone.mp4"), 0.0).caption
    deleted_id = evaluated.first().id
    evaluated.delete_samples([deleted_id])
    response, _ = ask(OVERVIEW, "thumbnail", evaluated, sample_id=deleted_id, time_s=0.0)
    assert response == {"src": None, "caption": "this clip was deleted"}


def test_the_panel_shows_a_clip_by_its_id(evaluated):
    response, _ = ask(OVERVIEW, "thumbnail", evaluated, sample_id=evaluated.first().id, time_s=0.5)
    assert response["src"].startswith("data:image/jpeg;base64,")
