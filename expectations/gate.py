"""The gate: a landed batch is typed, asked about, split, and given its verdict."""

from __future__ import annotations

import logging
from pathlib import Path

import duckdb

from boscard.logs import about
from boscard.settings import Settings
from expectations import batch_profile, output, split, typed
from expectations.examiner import Examiner
from expectations.facts import Facts
from expectations.history import Volume
from expectations.lines import Fields, Lines, are_as_landed, survey
from expectations.results import could_not_read, result_of
from expectations.rules import Suite
from expectations.suites import SUITES
from expectations.verdict import (
    FORMAT,
    Profile,
    Result,
    Verdict,
    batch_state,
    days,
    read_verdict,
    stamped,
    write_verdict,
)
from ingest.batch import NOTED, QUARANTINE, ROWS, TYPED, VERDICT, Batch
from ingest.landing import Landing, read_batch
from ingest.registry import SOURCES

LOG = logging.getLogger(__name__)


def gate_source(
    source: str, *, landing: Landing, settings: Settings, spilled: Path
) -> list[Verdict]:
    """Gate every batch of a source that has no verdict, in sequence.

    Returns the verdicts given, in order of account, stream and sequence. `spilled`: a folder
    for what memory does not hold meanwhile.
    """
    with Examiner(spilled) as examiner:
        return [
            _gate(read_batch(name), examiner=examiner, landing=landing, settings=settings)
            for name in landing.names(source, is_indexed=True)
            if not name.is_gated
        ]


def gate(
    batch: Batch,
    *,
    landing: Landing,
    settings: Settings,
    examiner: Examiner,
    again: bool = False,
) -> Verdict:
    """The verdict on one batch, from beside it, or given now and written there.

    Writes typed.parquet (of a batch that passes) and quarantine.parquet, then verdict.json, each by
    atomic rename. Earlier batches of the stream are to be gated first: volume and schema compare
    with them. Raises GateError when rows went missing on the way, and then writes nothing.
    """
    given = None if again else read_verdict(batch)
    return given or _gate(batch, examiner=examiner, landing=landing, settings=settings)


def _gate(batch: Batch, *, examiner: Examiner, landing: Landing, settings: Settings) -> Verdict:
    """One process at a time judges a batch: it writes beside it under names of its own."""
    files = (TYPED, QUARANTINE, NOTED, VERDICT)
    with landing.unindexed(batch), batch.folder.changing(needs=(ROWS,), makes=files):
        verdict = stamped(_ask(batch, examiner=examiner, landing=landing, settings=settings))
        write_verdict(batch, verdict)
    with about(batch.manifest):
        LOG.info(
            "%s: %d rows go on, %d set aside, %d held",
            verdict.state,
            verdict.rows_loaded,
            verdict.rows_quarantined,
            verdict.rows_held,
        )
    return verdict


def _ask(batch: Batch, *, examiner: Examiner, landing: Landing, settings: Settings) -> Verdict:
    manifest = batch.manifest
    stream = SOURCES[manifest.source].streams[manifest.stream]
    suite = SUITES[manifest.source][manifest.stream]
    facts = Facts.of(batch, stream, landing=landing, settings=settings)
    try:
        lines = survey(batch.path / ROWS, manifest.rows)
        wrong = _not_as_landed(batch, lines) or _not_staged(facts, suite, lines, examiner)
    except OSError as error:
        if error.errno is not None:  # the machine's fault, not the batch's
            raise
        lines, wrong = None, f"the rows cannot be read: {error}"[:200]
    if wrong or lines is None:
        results = could_not_read(facts, suite, wrong)
        output.write_kept_back(batch)
        return _verdict(facts, results, Profile(manifest.rows, {}, (), {}), {})
    return _judge(facts, suite, lines, examiner)


def _not_as_landed(batch: Batch, lines: Lines) -> str:
    manifest = batch.manifest
    if lines.rows != manifest.rows:
        return f"{lines.rows} rows are there, {manifest.rows} were landed"
    if not are_as_landed(batch.path / ROWS, manifest):
        return "the rows are not the ones that were landed"
    return ""


def _not_staged(facts: Facts, suite: Suite, lines: Lines, examiner: Examiner) -> str:
    """Stage the batch; what stood in the way, if anything did."""
    try:
        typed.stage(
            examiner.connection,
            facts.batch,
            facts.stream,
            lines=lines,
            calls=facts.landing.read_calls(facts.batch),
            empty_is_null=suite.empty_is_null,
        )
    except typed.ReaderStopped as error:
        return str(error)
    return ""


def _judge(facts: Facts, suite: Suite, lines: Lines, examiner: Examiner) -> Verdict:
    connection, stream, batch = examiner.connection, facts.stream, facts.batch
    split.stage(connection, facts, suite)
    profile = _profile(facts, suite, lines, connection)
    rules = [rule for rule in suite.rules if rule.applies(facts)]
    split.set_aside(connection, facts, rules)
    split.supersede(connection, stream, suite.version)
    counts = split.count(connection, facts, rules)
    answers = examiner.ask([rule for rule in rules if counts[rule.name].total], facts)
    results = tuple(
        result_of(facts, rule, counts.get(rule.name), answers.get(rule.name))
        for rule in suite.rules
    )
    if batch_state(results) != "passed":
        output.write_kept_back(batch)
        return _verdict(facts, results, profile, {})
    loaded = output.write_typed(batch, stream, connection)
    quarantined = output.write_quarantine(facts, suite, connection)
    output.write_noted(facts, suite, rules, connection)
    superseded = split.how_many(connection, "superseded")
    quarantined_days = batch_profile.quarantined_per_day(connection, stream)
    counted = (loaded, superseded, quarantined)
    return _verdict(facts, results, profile, days(quarantined_days), counted)


def _verdict(
    facts: Facts,
    results: tuple[Result, ...],
    profile: Profile,
    quarantined_days: dict[str, int],
    counted: tuple[int, int, int] | None = None,
) -> Verdict:
    """`counted`: rows loaded, superseded and quarantined of a batch that passed."""
    manifest = facts.batch.manifest
    loaded, superseded, quarantined = counted or (0, 0, 0)
    return Verdict(
        format=FORMAT,
        batch_id=manifest.batch_id,
        state=batch_state(results),
        rows_in=manifest.rows,
        rows_loaded=loaded,
        rows_superseded=superseded,
        rows_quarantined=quarantined,
        rows_held=0 if counted else manifest.rows,
        results=results,
        profile=profile,
        quarantined_days=quarantined_days,
        gated_at="",
    )


def _profile(
    facts: Facts, suite: Suite, lines: Lines, connection: duckdb.DuckDBPyConnection
) -> Profile:
    """Stage what the volume and schema rules look at, and keep it for later batches."""
    stream, window, rows = facts.stream, facts.batch.manifest.window, facts.batch.manifest.rows
    seen = frozenset(Fields.of(lines.sample).paths)
    fill = batch_profile.filled(connection, stream)
    per_day = batch_profile.rows_per_day(connection, stream)
    volumes: list[Volume]
    if stream.load == "window" and window:
        volumes = facts.history.days(window, per_day)
    elif stream.is_windowed:
        volumes = [facts.history.nights(rows)]
    else:
        least = 1 if stream.load == "snapshot" else 5
        share = 0.9 if stream.sweeps else 0.5
        volumes = [facts.history.whole(rows, least=least, share=share)]
    batch_profile.stage_volume(connection, volumes)
    batch_profile.stage_told(connection, facts)
    batch_profile.stage_fields(connection, facts, suite, seen=seen, fill=fill, rows=rows)
    return Profile(rows, days(per_day), tuple(sorted(seen)), fill)
