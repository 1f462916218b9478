"""Front-ends that look at a face through an image encoder."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from mmmsba_plugin.features import embedded
from mmmsba_plugin.features.embedded import EmbeddingConfig, FaceEmbedding, LipsEmbedding
from mmmsba_plugin.features.embeddings.image import NUM_VALUES
from mmmsba_plugin.features.face import FaceTexture, FaceTextureConfig
from mmmsba_plugin.features.lips import LipsTexture, LipsTextureConfig
from mmmsba_plugin.testing import samples
from mmmsba_plugin.timebase import Grid

DURATION_S = 2.0
TEXTURES = {
    FaceEmbedding: lambda: FaceTexture(FaceTextureConfig()),
    LipsEmbedding: lambda: LipsTexture(LipsTextureConfig()),
}


def rows_of(extractor, faces):
    grid = Grid(stride_s=0.08)
    extractor.start(samples.media(DURATION_S), grid)
    for face in faces:
        extractor.add(face)
    return extractor.finish(grid.num_snippets(DURATION_S))


@pytest.mark.parametrize("front_end", TEXTURES)
def test_rows_begin_with_those_of_the_texture(front_end):
    faces = samples.faces(DURATION_S)
    texture = rows_of(TEXTURES[front_end](), faces)
    rows = rows_of(front_end(EmbeddingConfig()), faces)
    assert rows.dim == texture.dim + 2 * NUM_VALUES
    assert np.array_equal(rows.values[:, : texture.dim], texture.values)
    assert np.array_equal(rows.present, texture.present)


def test_no_two_embedded_frames_are_nearer_than_the_setting(monkeypatch):
    times_s = []
    embed = embedded.image_embeddings
    monkeypatch.setattr(
        embedded, "image_embeddings", lambda images: times_s.append(len(images)) or embed(images)
    )
    faces = samples.faces(DURATION_S)
    rows_of(LipsEmbedding(EmbeddingConfig(every_s=0.06)), faces)
    assert sum(times_s) == pytest.approx(len(faces) / 2, abs=1)


def test_a_clip_without_a_face_has_no_rows_present():
    rows = rows_of(LipsEmbedding(EmbeddingConfig()), [])
    assert not rows.present.any()
    assert not rows.values.any()


def test_a_change_in_the_lower_face_moves_the_rows_of_its_own_time():
    faces = samples.faces(DURATION_S)
    dull = [i for i, face in enumerate(faces) if 1.0 <= face.pts_s < 1.4]
    for i in dull:
        native = cv2.GaussianBlur(faces[i].native, (0, 0), 3.0)
        faces[i] = replace(faces[i], native=native)
    rows = rows_of(LipsEmbedding(EmbeddingConfig()), faces)
    deviation = np.abs(rows.values[:, -NUM_VALUES:]).mean(axis=1)
    inside = slice(13, 17)
    assert deviation[inside].min() > 2 * np.delete(deviation, range(12, 18)).max()
