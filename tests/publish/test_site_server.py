"""The page's server gives the site folder, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from publish.site_server import application


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("<p>the page</p>")
    (site / ".index.html.part").write_text("half a page")
    (tmp_path / "landing.txt").write_text("personal data")
    (site / "outside").symlink_to(tmp_path / "landing.txt")
    return TestClient(application(site))


def test_it_serves_the_page(client):
    answer = client.get("/")
    assert answer.text == "<p>the page</p>"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    ["/../landing.txt", "/%2e%2e/landing.txt", "/..%2flanding.txt", "/outside",
     "/.index.html.part", "/%2eindex.html.part", "/absent"],
)  # fmt: skip
def test_it_serves_nothing_else(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert "personal" not in answer.text


def test_it_writes_nothing(client):
    assert client.post("/").status_code == 405
    assert client.put("/index.html", content=b"mine").status_code == 405


def test_it_answers_before_the_first_publication(tmp_path):
    client = TestClient(application(tmp_path))
    assert client.get("/healthy").status_code == 200
    assert client.get("/").status_code == 404
