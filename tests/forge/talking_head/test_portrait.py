"""A portrait that moves its mouth and eyes."""

import numpy as np

from mmmsba_plugin.forge.talking_head.portrait import Portrait, Pose


def test_an_open_mouth_is_dark_inside_and_the_rest_stays():
    portrait = Portrait(size_px=320)
    shut, wide = (portrait.draw(opening=o, width=0.5, blink=0.0, pose=Pose()) for o in (0.0, 1.0))
    changed = np.abs(shut.astype(int) - wide).max(axis=-1) > 0
    rows, _ = np.nonzero(changed)
    # Nose and collar bound what moves: 133.5 and 190 px of a portrait whose frame starts at
    # 12 px and is 215 px high, drawn at 320 px.
    assert rows.min() >= (133.5 - 12) / 215 * 320 - 2
    assert rows.max() <= (190 - 12) / 215 * 320 + 2
    # Between the lips of the open mouth: bright skin and lips give way to its dark inside.
    hollow = (slice(209, 214), slice(150, 164))
    assert wide[hollow].mean() < 60
    assert shut[hollow].mean() > 120


def test_a_blink_moves_only_the_eyes():
    portrait = Portrait(size_px=320)
    up, down = (portrait.draw(opening=0.3, width=0.5, blink=b, pose=Pose()) for b in (0.0, 1.0))
    rows, _ = np.nonzero(np.abs(up.astype(int) - down).max(axis=-1))
    assert rows.size > 100
    assert rows.max() < 160


def test_looks_differ():
    first, second = (
        Portrait(size_px=128, look=i).draw(opening=0, width=0.5, blink=0, pose=Pose())
        for i in (0, 1)
    )
    assert np.abs(first.astype(int) - second).mean() > 5
