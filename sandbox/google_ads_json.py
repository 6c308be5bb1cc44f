"""Rows of a Google Ads report as the vendor's JSON: int64 as text, unset fields absent, indented by
two.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sandbox.google_ads_fields import FIELDS, camel

ORDER = (
    "customer",
    "customer_client",
    "campaign",
    "ad_group",
    "ad_group_ad",
    "metrics",
    "segments",
)
ROW_INDENT = 4


@dataclass(frozen=True, slots=True)
class Odd:
    """A value of another type than its field's, as JSON content."""

    content: Any


class Rows:
    """The rows of one answered query, rendered page by page.

    `select` is the query's fields; the resource name of each resource is added. `names` renames
    JSON keys, `added` has new ones (a vendor that changed its mind). NaN and None are unset, so
    absent.
    """

    def __init__(
        self,
        columns: Mapping[str, np.ndarray],
        select: Sequence[str],
        resource: str,
        names: Mapping[str, str] | None = None,
        added: Mapping[str, Any] | None = None,
    ) -> None:
        self.select = tuple(select)
        self.columns = columns
        self._names = names or {}
        self._added = added or {}
        resources = dict.fromkeys([resource, *(FIELDS[name].resource for name in select)])
        fields = list(select)
        for name in resources:
            for resource_name in (f"{name}.resource_name", f"{name}.ad.resource_name"):
                is_nested = ".ad." in resource_name
                if resource_name in FIELDS and (
                    not is_nested or any(".ad." in chosen for chosen in select)
                ):
                    fields.append(resource_name)
        self._fields = sorted(
            dict.fromkeys(fields),
            key=lambda name: (
                ORDER.index(FIELDS[name].resource),
                ".ad." in name,
                not name.endswith("resource_name"),
            ),
        )
        self._templates: dict[tuple[int, ...], str] = {}
        self.total = len(next(iter(columns.values()))) if columns else 0

    @property
    def field_mask(self) -> str:
        return ",".join(".".join(camel(part) for part in name.split(".")) for name in self.select)

    def page(self, start: int, stop: int) -> list[str]:
        """The rows from `start` to before `stop`, each as indented JSON text."""
        encoded = [
            _encoded(FIELDS[name].kind, self.columns[name][start:stop].tolist())
            for name in self._fields
        ]
        absent = [position for position, values in enumerate(encoded) if None in values]
        if not absent:
            template = self._template(())
            return [template % row for row in zip(*encoded, strict=True)]
        return [
            self._template(tuple(place for place in absent if row[place] is None)) % row
            for row in zip(*encoded, strict=True)
        ]

    def _template(self, absent: tuple[int, ...]) -> str:
        if absent not in self._templates:
            tree: dict[str, Any] = {}
            for place, name in enumerate(self._fields):
                *parents, leaf = FIELDS[name].path
                branch = tree
                for parent in parents:
                    branch = branch.setdefault(parent, {})
                branch[self._names.get(leaf, leaf)] = place not in absent
            tree |= {
                key: json.dumps(value).replace("%", "%%") for key, value in self._added.items()
            }
            self._templates[absent] = " " * ROW_INDENT + _object(tree, ROW_INDENT)
        return self._templates[absent]


def _object(tree: Mapping[str, Any], indent: int) -> str:
    """A printf template of one object. An unset field swallows its value with a zero-width
    conversion.
    """
    inner = " " * (indent + 2)
    members, swallowed = [], ""
    for key, value in tree.items():
        if value is False:
            swallowed += "%.0s"
            continue
        text = "%s" if value is True else value
        if not isinstance(text, str):
            text = _object(text, indent + 2)
        members.append(f"{swallowed}{inner}{json.dumps(key)}: {text}")
        swallowed = ""
    if not members:
        return f"{swallowed}{{}}"
    return "{\n" + ",\n".join(members) + swallowed + "\n" + " " * indent + "}"


def _encoded(kind: str, values: list[Any]) -> list[Any]:
    odd = [isinstance(value, Odd) for value in values]
    if any(odd):
        usual = iter(_encoded(kind, [value for value in values if not isinstance(value, Odd)]))
        return [
            json.dumps(value.content) if isinstance(value, Odd) else next(usual) for value in values
        ]
    if kind == "boolean":
        return ["true" if value else "false" for value in values]
    if kind == "double":
        return [None if value is None or value != value else repr(float(value)) for value in values]
    if kind == "int64":
        return [f'"{value}"' for value in values]
    known = {
        value: None
        if value is None or value != value
        else json.dumps(str(value), ensure_ascii=False)
        for value in set(values)
    }
    return [known[value] for value in values]


def search_reply(rows: Sequence[str], tail: Mapping[str, str]) -> bytes:
    """One `:search` object; `results` is absent when there are none."""
    return _chunk(rows, tail).encode()


def stream_reply(chunks: Sequence[tuple[Sequence[str], Mapping[str, str]]]) -> bytes:
    """The array of chunks of `:searchStream`."""
    return ("[" + "\n,\n".join(_chunk(rows, tail) for rows, tail in chunks) + "\n]\n").encode()


def _chunk(rows: Sequence[str], tail: Mapping[str, str]) -> str:
    members = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in tail.items()]
    if rows:
        members.insert(0, '  "results": [\n' + ",\n".join(rows) + "\n  ]")
    return "{\n" + ",\n".join(members) + "\n}\n"
