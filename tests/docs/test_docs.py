"""What the guides name exists, and what exists is named in the guides."""

from __future__ import annotations

import re
import typing

import click
import pytest
from pydantic import BaseModel

from boscard.cli import main
from boscard.home import PROJECT
from boscard.settings import Settings
from sandbox.faults import KINDS

PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
ALL = "\n".join(page.read_text("utf-8") for page in PAGES)


def commands(group, prefix="boscard"):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


def keys(model: type[BaseModel], prefix=""):
    for name, field in model.model_fields.items():
        inner = [field.annotation, *typing.get_args(field.annotation)]
        models = [kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if models:
            yield from keys(models[0], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / link).exists(), link


@pytest.mark.parametrize("command", [command for command, _ in commands(main)])
def test_every_command_is_in_a_guide(command):
    assert command in ALL


def shown():
    """Command lines in the guides, in blocks and in sentences, without what follows a `#`."""
    lines = re.findall(r"^ *boscard( .*)?$|`boscard( [^`]*)`", ALL, re.MULTILINE)
    return dict.fromkeys((line or inner).partition("#")[0].strip() for line, inner in lines)


@pytest.mark.parametrize("line", shown())
def test_every_command_in_the_guides_exists_with_its_options(line):
    command: click.Command = main
    words = line.split()
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        assert words[0] in command.commands
        command = command.commands[words.pop(0)]
    options = {name for option in command.params for name in option.opts} | {"--help"}
    assert {word.partition("=")[0] for word in words if word.startswith("-")} <= options


def options():
    for line, command in commands(main):
        for option in command.params:
            if isinstance(option, click.Option):
                yield pytest.param(line, option.opts, id=f"{line} {option.opts[-1]}")


@pytest.mark.parametrize(("command", "names"), list(options()))
def test_every_option_stands_beside_its_command(command, names):
    """On a line that shows the command, or by itself in a section that does."""
    beside = set()
    for section in re.split(r"^## ", ALL, flags=re.MULTILINE):
        lines = re.findall(rf"{command}\b[^`\n]*", section)
        if lines:
            beside |= set(re.findall(r"(?<!\S)--?[a-z-]+", " ".join(lines)))
            beside |= set(re.findall(r"`(--[a-z-]+)(?: \S+)?`", section))
    assert beside & set(names)


@pytest.mark.parametrize("key", list(keys(Settings)))
def test_every_setting_is_explained(key):
    assert f"| `{key}` |" in (PROJECT / "docs/settings.md").read_text("utf-8")


@pytest.mark.parametrize("fault", KINDS)
def test_every_fault_is_explained(fault):
    assert f"`{fault}`" in (PROJECT / "docs/sandbox.md").read_text("utf-8")


def test_make_targets_named_exist_and_have_help():
    targets = set(re.findall(r"^([a-z-]+):.*## ", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", ALL, re.MULTILINE))
    assert {"nightly", "test"} <= named <= targets


def test_readme_leads_with_the_two_commands():
    first_block = (PROJECT / "README.md").read_text("utf-8").split("```")[1]
    assert re.findall(r"make \w+", first_block) == ["make nightly", "make test"]


def test_published_views_are_listed():
    views = {"publications", "restatements"}
    for schema in (PROJECT / "dbt_project/models/marts").rglob("*.yml"):
        views |= set(re.findall(r"publish_as: (\w+)", schema.read_text("utf-8")))
    assert len(views) >= 10
    guide = (PROJECT / "docs/bi.md").read_text("utf-8")
    assert {name for name in views if f"`kpi.{name}`" not in guide} == set()
