"""Wrong values on demand: what a standing fault does to the rows of an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zlib import crc32

import numpy as np

from sandbox.exchange import World
from sandbox.faults import Fault
from sandbox.google_ads_fields import FIELDS, SEGMENT, camel
from sandbox.google_ads_json import Odd
from sandbox.hubspot_objects import Records
from sandbox.typeform_records import FormBook

MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
NEVER = "1900"
Row = dict[str, Any]
Columns = Mapping[str, np.ndarray]
OF_ANY_DAY = ("wrong_value", "missing_rows")
COST, CLICKS, IMPRESSIONS = "metrics.cost_micros", "metrics.clicks", "metrics.impressions"


def changed_report(
    columns: Columns, select: Sequence[str], faults: Sequence[Fault], label: str, as_of_date: date
) -> tuple[Columns, dict[str, str], dict[str, Any]]:
    """An ad report with its faults: the columns, JSON keys to rename, and new keys of each row.

    Each fault notes how many rows it changed. They are chosen in report order among those of the
    fault's day (the night's own by default) that the fault can make wrong.
    """
    names: dict[str, str] = {}
    added: dict[str, Any] = {}
    for fault in faults:
        count = len(next(iter(columns.values()))) if columns else 0
        if fault.fault == "renamed_field":
            old, new = fault["field"] or "costMicros", fault["to"] or "costInMicros"
            if old in {camel(FIELDS[name].name.rpartition(".")[2]) for name in select}:
                names[old] = new
                fault.record(label, count)
            continue
        if fault.fault == "added_field":
            added[fault["field"]] = fault["value"]
            fault.record(label, count)
            continue
        places = _places(columns, select, fault, as_of_date)
        if len(places):
            columns = _changed(columns, fault, places)
            fault.record(label, len(places))
    return columns, names, added


def _places(columns: Columns, select: Sequence[str], fault: Fault, as_of_date: date) -> np.ndarray:
    """The places of the rows to change, in order; none when the report has not what the fault
    needs.
    """
    is_of_a_day = fault.fault not in OF_ANY_DAY or fault["day"] is not None
    if SEGMENT in select and is_of_a_day:
        chosen = columns[SEGMENT] == fault.day(as_of_date).isoformat()
    elif fault.fault in ("duplicate_key", *OF_ANY_DAY) and columns:
        chosen = np.ones(len(next(iter(columns.values()))), dtype=bool)
    else:
        return np.empty(0, dtype=int)
    if fault.fault == "negative_spend":
        chosen &= (columns[COST] > 0) if COST in select else False
    if fault.fault == "clicks_above_impressions":
        chosen &= (columns[CLICKS] > 0) if {CLICKS, IMPRESSIONS} <= set(select) else False
    if fault.fault == "wrong_value" and _field(fault) not in select:
        return np.empty(0, dtype=int)
    places = np.flatnonzero(chosen)
    if fault.fault == "missing_rows":
        steps = np.arange(len(places) + 1) * int(fault["percent"]) // 100
        return places[np.diff(steps) > 0]
    return places[: fault.rows]


def _field(fault: Fault) -> str:
    """The query's name of the field whose values are wrong; the fault names its place in JSON."""
    path = tuple(str(fault["field"] or "metrics.costMicros").split("."))
    return next((field.name for field in FIELDS.values() if field.path == path), "")


def _changed(columns: Columns, fault: Fault, places: np.ndarray) -> Columns:
    match fault.fault:
        case "missing_day" | "missing_rows":
            return {name: np.delete(values, places) for name, values in columns.items()}
        case "wrong_value":
            name = _field(fault)
            wrong = np.array([Odd(fault["value"])] * len(places), dtype=object)
            return {**columns, name: _replaced(columns[name].astype(object), places, wrong)}
        case "negative_spend":
            return {**columns, COST: _replaced(columns[COST], places, -columns[COST][places])}
        case "clicks_above_impressions":
            clicks = columns[IMPRESSIONS][places] + 1 + columns[CLICKS][places]
            return {**columns, CLICKS: _replaced(columns[CLICKS], places, clicks)}
        case "impossible_date":
            wrong = np.array([f"{day[:5]}02-30" for day in columns[SEGMENT][places]], dtype=object)
            return {**columns, SEGMENT: _replaced(columns[SEGMENT], places, wrong)}
        case "duplicate_key":
            return _repeated(columns, places, differs=bool(fault["differs"]))
    return columns


def _repeated(columns: Columns, places: np.ndarray, *, differs: bool) -> Columns:
    """The chosen rows once more, each right after itself; with one more impression where they
    differ.
    """
    count = len(next(iter(columns.values())))
    order = np.sort(np.concatenate([np.arange(count), places]))
    repeated = {name: values[order] for name, values in columns.items()}
    if differs and IMPRESSIONS in repeated:
        again = np.flatnonzero(np.diff(order, prepend=-1) == 0)
        impressions = repeated[IMPRESSIONS]
        repeated[IMPRESSIONS] = _replaced(impressions, again, impressions[again] + 1)
    return repeated


def _replaced(values: np.ndarray, places: np.ndarray, by: np.ndarray) -> np.ndarray:
    changed = values.copy()
    changed[places] = by
    return changed


def changed_records(
    rows: list[Row], records: Records, faults: Sequence[Fault], label: str, world: World
) -> list[Row]:
    """A page of CRM records with its faults. The newest changed live records are chosen, or those
    of a day. An answer of ids alone has nothing to make wrong.
    """
    if not any(set(row["properties"]) - {"hs_object_id"} for row in rows):
        return rows
    for fault in faults:
        chosen = _chosen_records(records, fault)
        found = [row for row in rows if row["id"] in chosen]
        match fault.fault:
            case "added_field" | "wrong_value" | "missing_rows" | "clock_ahead":
                rows, found = _changed_objects(rows, found, fault, "id", "properties.amount")
            case "renamed_field":
                old, new = fault["field"] or "dealstage", fault["to"] or "deal_stage"
                found = [row for row in rows if old in row["properties"]]
                for row in found:
                    for holder in (row["properties"], row.get("propertiesWithHistory", {})):
                        if old in holder:
                            holder[new] = holder.pop(old)
            case "impossible_date":
                for row in found:
                    row["createdAt"] = _impossible(row["createdAt"])
                    if "createdate" in row["properties"]:
                        row["properties"]["createdate"] = row["createdAt"]
            case "duplicate_key":
                rows = _twice(rows, found, "updatedAt" if fault["differs"] else None, world)
        fault.record(label, len(found))
    return rows


def changed_responses(
    rows: list[Row], form: FormBook, faults: Sequence[Fault], label: str, world: World
) -> list[Row]:
    """A page of survey responses with its faults. The newest completed ones are chosen, or those of
    a day.
    """
    for fault in faults:
        day = f"{fault.day(world.as_of_date)}"
        chosen = _chosen_responses(form, fault)
        found = [row for row in rows if row["token"] in chosen]
        match fault.fault:
            case "added_field" | "wrong_value" | "missing_rows" | "clock_ahead":
                rows, found = _changed_objects(rows, found, fault, "token", "submitted_at")
            case "renamed_field":
                old, new = fault["field"] or "submitted_at", fault["to"] or "submittedAt"
                found = [row for row in rows if old in row]
                for row in found:
                    row[new] = row.pop(old)
            case "missing_day":
                found = [row for row in rows if row["submitted_at"].startswith(day)]
                rows = [row for row in rows if not row["submitted_at"].startswith(day)]
            case "impossible_date":
                for row in found:
                    row["submitted_at"] = _impossible(row["submitted_at"])
            case "score_out_of_range":
                for row in found:
                    for answer in row.get("answers", []):
                        if answer["type"] == "number":
                            answer["number"] = fault["value"]
            case "duplicate_key":
                rows = _twice(rows, found, "landed_at" if fault["differs"] else None, world)
        fault.record(label, len(found))
    return rows


def _chosen_records(records: Records, fault: Fault) -> set[str]:
    modified = records.texts[records.kind.modified]
    places = np.flatnonzero(~records.is_archived)
    moments = records.moments[records.kind.modified][places]
    places = places[np.argsort(-moments, kind="stable")]
    day = fault.parameters.get("day")
    if day:
        places = np.array(
            [place for place in places if str(modified[place]).startswith(day)], dtype=int
        )
    return {str(number) for number in records.ids[places[: fault.rows]]}


def _chosen_responses(form: FormBook, fault: Fault) -> set[str]:
    day = fault.parameters.get("day")
    needs_score = fault.fault == "score_out_of_range"
    found = [
        response.token
        for response in form.responses
        if response.submitted_at is not None
        and (not needs_score or response.score is not None)
        and (not day or response.submitted_text.startswith(day))
    ]
    return set(found[: fault.rows])


def _changed_objects(
    rows: list[Row], found: list[Row], fault: Fault, key: str, field: str
) -> tuple[list[Row], list[Row]]:
    """The faults that any list of JSON objects can have: its rows, and those that were changed.

    `found` are the chosen rows, `key` is what a row is known by, `field` what is wrong by default.
    """
    match fault.fault:
        case "added_field":
            found = rows
            for row in rows:
                row[fault["field"]] = fault["value"]
        case "wrong_value":
            *parents, leaf = str(fault["field"] or field).split(".")
            found = rows if fault.rows is None else found
            for row in found:
                node = row
                for parent in parents:
                    node = node[parent]
                node[leaf] = fault["value"]
        case "missing_rows":
            found = [row for row in rows if crc32(row[key].encode()) % 100 < fault["percent"]]
            rows = [row for row in rows if row not in found]
        case "clock_ahead":
            found, ahead = rows, timedelta(seconds=fault["seconds"])
            for row in rows:
                _put_ahead(row, ahead)
    return rows, found


def _put_ahead(row: Row, ahead: timedelta) -> None:
    """Every moment of a row, in lists and objects too, is later."""
    for key, value in row.items():
        if isinstance(value, str) and MOMENT.fullmatch(value) and value > NEVER:
            digits = value.partition(".")[2]
            later = datetime.fromisoformat(value[:19]) + ahead
            row[key] = later.isoformat() + (f".{digits}" if digits else "Z")
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                _put_ahead(part, ahead)


def _impossible(moment: str) -> str:
    """The same time of day on the 30th of February."""
    return f"{moment[:5]}02-30{moment[10:]}"


def _twice(rows: list[Row], found: Sequence[Row], differing: str | None, world: World) -> list[Row]:
    """The chosen rows once more, each right after itself; where they differ the second says it is
    of now.
    """
    chosen = {id(row) for row in found}
    now = f"{world.now:%Y-%m-%dT%H:%M:%S}Z"
    repeated: list[Row] = []
    for row in rows:
        repeated.append(row)
        if id(row) in chosen:
            repeated.append({**row, differing: now} if differing else row)
    return repeated
