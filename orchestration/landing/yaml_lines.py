"""YAML whose every value knows the line it stands on, so that an error can name it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from orchestration.landing.errors import ContractError

# libyaml where the build has it: reading the contract is most of a night without news.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Node:
    """A YAML value with its place."""

    path: Path
    line: int
    _node: yaml.Node

    @cached_property
    def value(self) -> Any:
        """The scalar, list or mapping in plain Python."""
        return yaml.SafeLoader("").construct_document(self._node)

    @property
    def place(self) -> str:
        """``file:line`` as shown in messages."""
        return f"{self.path}:{self.line}"

    def error(self, message: str) -> ContractError:
        """A ``ContractError`` that names this place."""
        return ContractError(f"{self.place}: {message}")

    def get(self, *keys: str) -> Node | None:
        """The value below ``keys``, or None where a key is absent.

        Raises:
            ContractError: something on the way is not a mapping.

        """
        node = self
        for key in keys:
            found = dict(node.items()).get(key)
            if found is None:
                return None
            node = found
        return node

    def items(self) -> Iterator[tuple[str, Node]]:
        """Key and value pairs of a mapping.

        Raises:
            ContractError: not a mapping.

        """
        if not isinstance(self._node, yaml.MappingNode):
            raise self.error("must hold fields, one 'name: value' a line")
        seen: set[str] = set()
        for key, value in self._node.value:
            name = str(getattr(key, "value", ""))
            if name in seen:
                raise ContractError(f"{self.path}:{key.start_mark.line + 1}: {name} is given twice")
            seen.add(name)
            yield name, self._child(value)

    def elements(self) -> Iterator[Node]:
        """Elements of a list.

        Raises:
            ContractError: not a list.

        """
        if not isinstance(self._node, yaml.SequenceNode):
            raise self.error("must be a list")
        for value in self._node.value:
            yield self._child(value)

    def _child(self, node: yaml.Node) -> Node:
        return _wrap(self.path, node)


def _wrap(path: Path, node: yaml.Node) -> Node:
    return Node(path, node.start_mark.line + 1, node)


def read_yaml(path: Path, shown_as: Path | None = None) -> Node | None:
    """The document in ``path``, or None when the file is empty; messages call the file ``shown_as``.

    Raises:
        ContractError: not UTF-8 or not YAML; names the line.

    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_LOADER)
        return None if root is None else _wrap(shown_as or path, root)
    except UnicodeDecodeError as error:
        raise ContractError(f"{path}: not UTF-8 at byte {error.start}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise ContractError(f"{path}{line}: not valid YAML: {getattr(error, 'problem', error)}") from error
