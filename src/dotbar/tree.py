"""Nested containers as flat lists of leaves, and back.

dict, list, tuple, namedtuple, dataclass and None are containers; everything else is a leaf.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any


@dataclasses.dataclass(frozen=True)
class Structure:
    """The shape of a container: its type, its keys and the structures of its items; a leaf has type None."""

    type: Any = None
    keys: tuple[Any, ...] = ()
    items: tuple["Structure", ...] = ()

    def build(self, leaves: Iterator[Any]) -> Any:
        """Put the leaves back into place."""
        if self.type is None:
            return next(leaves)
        values = [item.build(leaves) for item in self.items]
        if self.type is type(None):
            return None
        if issubclass(self.type, dict):
            whole = self.type.__new__(self.type)
            for key, value in zip(self.keys, values, strict=True):
                whole[key] = value
            return whole
        if hasattr(self.type, "_fields"):
            return self.type(*values)
        if issubclass(self.type, (list, tuple)):
            return self.type(values)
        whole = object.__new__(self.type)
        for key, value in zip(self.keys, values, strict=True):
            object.__setattr__(whole, key, value)
        return whole

    def __str__(self) -> str:
        """The container as it would be written, with ``*`` for each leaf."""
        if self.type is None:
            return "*"
        if self.type is type(None):
            return "None"
        items = list(map(str, self.items))
        if self.type is list:
            return f"[{', '.join(items)}]"
        if self.type is tuple:
            return f"({', '.join(items)}{',' * (len(items) == 1)})"
        if issubclass(self.type, dict):
            return f"{{{', '.join(f'{key!r}: {item}' for key, item in zip(self.keys, items))}}}"
        return f"{self.type.__name__}({', '.join(items)})"

    def paths(self, root: str = "") -> Iterator[str]:
        """One printable path a leaf, such as ``['w'][0].scale``."""
        if self.type is None:
            yield root
        dotted = self.type is not None and not issubclass(self.type, (dict, list, tuple))
        for key, item in zip(self.keys, self.items, strict=True):
            yield from item.paths(f"{root}.{key}" if dotted else f"{root}[{key!r}]")


LEAF = Structure()


def children(x: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
    """The keys and the items of a container; None for a leaf."""
    if x is None:
        return (), ()
    if isinstance(x, dict):
        return tuple(x.keys()), tuple(x.values())
    if isinstance(x, (list, tuple)):
        return tuple(range(len(x))), tuple(x)
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        keys = tuple(field.name for field in dataclasses.fields(x))
        return keys, tuple(getattr(x, key) for key in keys)
    return None


def flatten(x: Any) -> tuple[list[Any], Structure]:
    """The leaves of a container, left to right, and the structure to put them back."""
    leaves: list[Any] = []
    return leaves, _flatten(x, leaves)


def _flatten(x: Any, leaves: list[Any]) -> Structure:
    parts = children(x)
    if parts is None:
        leaves.append(x)
        return LEAF
    keys, items = parts
    return Structure(type(x), keys, tuple(_flatten(item, leaves) for item in items))


def unflatten(structure: Structure, leaves: list[Any]) -> Any:
    """The inverse of :func:`flatten`."""
    return structure.build(iter(leaves))


def tree_map(f: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """Apply ``f`` to each leaf, and to the leaves at the same place of further trees of one structure."""
    leaves, structure = flatten(tree)
    others = [flatten(other)[0] for other in rest]
    return unflatten(structure, [f(*xs) for xs in zip(leaves, *others, strict=True)])


def flatten_up_to(structure: Structure, x: Any) -> list[Any]:
    """The leaves of ``x`` along a structure; None may stand for a leaf or a whole part, which gives None at each leaf.

    Raises:
        ValueError: ``x`` does not have the structure.
    """
    if x is None:
        return [None for _ in structure.paths()]
    parts = children(x)
    if structure.type is None and parts is None:
        return [x]
    if isinstance(x, dict) and x.keys() == set(structure.keys):
        parts = structure.keys, tuple(x[key] for key in structure.keys)  # in whatever order they were given
    if structure.type is None or parts is None or parts[0] != structure.keys or type(x) is not structure.type:
        wanted = "an array" if structure.type is None else f"a {structure.type.__name__} of {len(structure.keys)}"
        raise ValueError(f"a {type(x).__name__} where {wanted} is expected")
    return [leaf for item, child in zip(structure.items, parts[1]) for leaf in flatten_up_to(item, child)]
