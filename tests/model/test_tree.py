"""Nested dictionaries are mapped leaf by leaf, whatever they hold."""

import pytest

from mmmsba_plugin.model.tree import tree_map


def test_leaves_at_the_same_place_meet():
    first, second = {"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 10, "c": 20}, "d": 30}
    assert tree_map(lambda x, y: x + y, first, second) == {"a": {"b": 11, "c": 22}, "d": 33}


def test_a_leaf_alone_is_a_tree():
    assert tree_map(str, 3) == "3"
    assert tree_map(str, {}) == {}


def test_a_tree_that_lacks_a_place_is_an_error():
    with pytest.raises(KeyError, match="b"):
        tree_map(max, {"a": 1, "b": 2}, {"a": 3})
