from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from publish.page import write_page
from publish.publication import publish

CHROMIUM = os.environ.get("BOSCARD_CHROMIUM") or shutil.which("chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page_file(installation: Any, database: Any) -> Path:
    clock = installation.transform()
    publish(installation.home, installation.settings, clock, postgres_url=database.writer)
    return write_page(installation.home, installation.settings)


def test_it_is_quiet_and_fits(chromium: Any, page_file: Path) -> None:
    for width, scheme in ((1280, "light"), (1280, "dark"), (360, "light")):
        context = chromium.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme
        )
        page = context.new_page()
        complaints: list[str] = []
        requests: list[str] = []
        page.on("console", lambda message, log=complaints: log.append(message.text))
        page.on("pageerror", lambda error, log=complaints: log.append(str(error)))
        page.on("request", lambda request, log=requests: log.append(request.url))
        page.goto(page_file.as_uri())
        assert complaints == []
        assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(20, 24, 27)") is (scheme == "dark")
        context.close()


def test_the_keyboard_reaches_perspectives_and_details(chromium: Any, page_file: Path) -> None:
    page = chromium.new_page()
    page.goto(page_file.as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the scorecard"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#financial"
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None
    page.close()
