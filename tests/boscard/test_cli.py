"""The command line: errors in plain words, help for everything."""

from __future__ import annotations

from datetime import date

import click
import pytest
from click.testing import CliRunner

from boscard.cli import main
from boscard.home import PROJECT, Home
from expectations.incidents import Incident, Incidents


def commands(group, prefix=()):
    for name, command in group.commands.items():
        yield (*prefix, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*prefix, name))


@pytest.mark.parametrize("command", list(commands(main)), ids=" ".join)
def test_every_command_has_help(command):
    result = CliRunner().invoke(main, [*command, "--help"])
    assert result.exit_code == 0
    assert len(result.output.splitlines()[2].strip()) > 20


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["nightly", "--date", "yesterday"], "is not a date", id="no date"),
        pytest.param(
            ["nightly", "--date", "2019-01-01"], "before company.history_start", id="too early"
        ),
        pytest.param(["read", "scorecard"], "nothing is published yet", id="nothing published"),
        pytest.param(["replay"], "nights: none", id="nothing landed"),
        pytest.param(["explain"], "name a KPI and a period", id="nothing to explain"),
        pytest.param(["explain", "P01", "2026-13"], "is not a period", id="no period"),
        pytest.param(["explain", "P01", "2026-11"], "run a night", id="no warehouse"),
        pytest.param(["explain", "--forward", "a.1"], "run a night", id="no warehouse, forward"),
        pytest.param(
            ["backfill", "--from", "2026-11-04", "--to", "2026-11-01", "--date", "2026-11-05"],
            "--from comes first",
            id="backwards",
        ),
        pytest.param(
            ["quarantine", "show", "a.b.c.1.1"],
            "no row 'a.b.c.1.1' is set aside; `boscard quarantine list` shows",
            id="no such row",
        ),
        pytest.param(
            ["incidents", "ack", "a.b.1", "--who", "Ada"],
            "no open incident 'a.b.1'; `boscard incidents list` shows",
            id="no such incident",
        ),
        pytest.param(
            ["sandbox", "truth", "--component", "luck", "--date", "2025-10-01"],
            "no component 'luck'",
            id="no such component",
        ),
    ],
)
def test_errors_are_one_plain_message(arguments, words, tmp_path, monkeypatch):
    monkeypatch.setenv("BOSCARD_HOME", str(tmp_path))
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code in (1, 2)
    assert words in result.output
    assert "Traceback" not in result.output
    assert isinstance(result.exception, SystemExit)


def test_real_accounts_wait_for_the_publication_hour(tmp_path, monkeypatch):
    settings = tmp_path / "real.toml"
    text = (PROJECT / "boscard.toml").read_text("utf-8")
    settings.write_text(text.replace("enabled = true", "enabled = false"), encoding="utf-8")
    monkeypatch.setenv("BOSCARD_SETTINGS", str(settings))
    result = CliRunner().invoke(main, ["nightly", "--date", "2099-01-01"])
    assert result.exit_code == 1
    assert "which has not come" in result.output


def test_incidents_are_listed_taken_on_and_put_off(tmp_path, monkeypatch):
    monkeypatch.setenv("BOSCARD_HOME", str(tmp_path))
    night = date(2026, 11, 3)
    known = Incidents(Home.default().incidents)
    known.add(Incident("hubspot", "24", 1, "resolved", night, night, ("deals",)))
    known.add(Incident("hubspot", "24", 2, "new", night, night, ("deals", "owners")))

    def run(*arguments):
        result = CliRunner().invoke(main, ["incidents", *arguments])
        assert result.exit_code == 0, result.output
        return result.output.splitlines()

    assert run("list") == ["hubspot.24.2\tnew\tsince 2026-11-03\tdeals, owners"]
    assert len(run("list", "--all")) == 2
    run("ack", "hubspot.24.2", "--who", "Ada", "--why", "asked them")
    assert run("list")[0].endswith("acknowledged\tsince 2026-11-03\tdeals, owners\tAda: asked them")
    run("snooze", "hubspot.24.2", "--until", "2026-11-09", "--who", "Ada")
    assert "snoozed until 2026-11-09" in run("list")[0]


def test_down_with_nothing_up_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("BOSCARD_HOME", str(tmp_path))
    result = CliRunner().invoke(main, ["down"])
    assert (result.exit_code, result.output) == (0, "nothing was running\n")
