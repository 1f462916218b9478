"""Maps over nested dictionaries, such as the targets of a batch or the outputs of networks.

So nobody who cuts, stacks or averages them has to know what they hold.
"""

from collections.abc import Callable, Mapping
from typing import Any

#: A leaf, or a dictionary of trees by name; what the leaves are is for the caller to know.
Tree = Any


def tree_map(function: Callable[..., Any], tree: Tree, *others: Tree) -> Tree:
    """Apply a function to the leaves at the same place of nested dictionaries.

    Args:
        function: Called with one leaf of each tree.
        tree: A leaf, or a dictionary of trees; its keys are those of the result.
        others: Trees that have these keys too.

    Example:
        >>> tree_map(lambda a, b: a + b, {"x": {"y": 1}, "z": 2}, {"x": {"y": 10}, "z": 20})
        {'x': {'y': 11}, 'z': 22}
    """
    if isinstance(tree, Mapping):
        return {
            key: tree_map(function, value, *(other[key] for other in others))
            for key, value in tree.items()
        }
    return function(tree, *others)
