"""Whatever the product can raise has its entry in the runbook: the list is the code's own."""

from __future__ import annotations

import ast
import re
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

from boscard.home import PROJECT
from boscard.status import EXIT
from boscard.summary import INCOMPLETE, NOT_PUBLISHED, PUBLISHED
from expectations import incidents
from publish.notices import DONE

RUNBOOK = (PROJECT / "docs/runbook.md").read_text("utf-8")
ROOMS = ("boscard", "ingest", "expectations", "warehouse", "publish", "sandbox")
BUILT_IN = {"Exception", "LookupError", "ValueError", "RuntimeError", "OSError"}
# The sandbox's answers in a vendor's stead; they leave no process but as a vendor's refusal.
ANSWERS = {"RefusedError", "SearchError", "QueryError"}


def modules(*rooms: str) -> Iterator[tuple[Path, ast.Module]]:
    for room in rooms:
        for path in sorted((PROJECT / room).rglob("*.py")):
            yield path, ast.parse(path.read_text("utf-8"))


def errors() -> list[str]:
    """The names of all classes of errors, however far from Exception they stand."""
    bases = {
        node.name: {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        for _, module in modules(*ROOMS)
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef)
    }
    found: set[str] = set()
    while more := {name for name, of in bases.items() if of & (BUILT_IN | found)} - found:
        found |= more
    return sorted(found - ANSWERS)


def tasks() -> list[str]:
    return sorted(
        {
            node.name
            for _, module in modules("dags")
            for node in ast.walk(module)
            if isinstance(node, ast.FunctionDef)
            and any(ast.unparse(one).startswith("task") for one in node.decorator_list)
        }
    )


def causes() -> list[str]:
    """The constant beginnings of what the audit says to marketers."""
    [module] = [module for path, module in modules("publish") if path.name == "audit.py"]
    given = [
        node.args[0]
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding"
    ]
    said = [one for node in given for one in ast.walk(node) if isinstance(one, ast.Constant)]
    words = [str(one.value).rstrip(": ") for one in said if len(str(one.value)) > 10]
    return sorted(set(words))


def messages() -> list[str]:
    """How the keys of messages begin, and for incidents each state that is told."""
    source = Path(incidents.messages.__file__).read_text("utf-8")
    kinds = set(re.findall(r'f"(\w+)\.\{', source))
    assert "incident" in kinds
    told = set(typing.get_args(incidents.State)) - {"acknowledged", "snoozed"}
    return sorted(kinds - {"incident"} | {f"incident.<name>.{state}" for state in told})


def test_the_lists_are_not_empty():
    assert {"CannotWrite", "UsedUp", "MismatchError"} <= set(errors())
    assert {"pull", "load", "verdict"} <= set(tasks())
    assert len(causes()) >= 7
    assert {"blocked", "late", "incident.<name>.resolved"} <= set(messages())


@pytest.mark.parametrize("name", errors())
def test_every_error_has_its_entry(name):
    assert re.search(rf"^\|[^|]*`{name}`[^|]*\|[^|]+\|", RUNBOOK, re.MULTILINE)


@pytest.mark.parametrize("key", messages())
def test_every_message_has_its_entry(key):
    assert f"| `{key}." in RUNBOOK


@pytest.mark.parametrize("status", sorted({*EXIT.values(), PUBLISHED, NOT_PUBLISHED, INCOMPLETE}))
def test_every_exit_status_has_its_entry(status):
    assert f"\n| {status} | " in RUNBOOK


@pytest.mark.parametrize("name", tasks())
def test_every_task_has_its_entry(name):
    assert re.search(rf"^\|[^|]*\|[^|]*`{name}`", RUNBOOK, re.MULTILINE)


@pytest.mark.parametrize("words", causes())
def test_every_reason_of_the_audit_has_its_entry(words):
    assert words in RUNBOOK


@pytest.mark.parametrize("words", [what for what, _ in DONE.values()])
def test_every_notice_of_the_page_has_its_entry(words):
    assert f'"{words}"' in RUNBOOK


@pytest.mark.parametrize("heading", re.findall(r"\]\(#([a-z-]+)\)", RUNBOOK))
def test_its_own_links_lead_somewhere(heading):
    headings = re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE)
    assert heading in {re.sub(r"[^a-z ]", "", one.lower()).replace(" ", "-") for one in headings}
