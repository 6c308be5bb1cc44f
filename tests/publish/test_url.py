from __future__ import annotations

from typing import Any

import psycopg
import pytest

from boscard.home import Home
from boscard.settings import Publication, Settings
from publish.connection import ConnectionMissingError, writer_url
from publish.embedded import Embedded
from publish.login import Login
from publish.url import reader_url


def test_the_embedded_readers_url_connects(server: Embedded, settings: Settings) -> None:
    url = reader_url(Home(server.folder.parent), settings)
    with psycopg.connect(url) as connection:
        assert connection.execute("select current_user").fetchone() == ("kpi_reader",)


def test_a_server_of_ones_own_keeps_its_readers_password_to_itself(
    settings: Settings, tmp_path: Any
) -> None:
    url = reader_url(Home(tmp_path), settings, "postgresql://w:s%40cret@db.example:6432/marts")
    assert url == "postgresql://kpi_reader@db.example:6432/marts"


def test_odd_names_are_encoded() -> None:
    login = Login("::1", 5432, "my db", "a@b", "p/w:d")
    assert login.url == "postgresql://a%40b:p%2Fw%3Ad@[::1]:5432/my%20db"


def test_a_named_connection_is_never_replaced_by_the_embedded_server(
    settings: Settings, tmp_path: Any
) -> None:
    named = settings.model_copy(update={"publication": Publication(postgres_connection="bi")})
    with pytest.raises(ConnectionMissingError, match="'bi'"):
        reader_url(Home(tmp_path), named)
    with pytest.raises(ConnectionMissingError), writer_url(Home(tmp_path), named, None):
        pass
