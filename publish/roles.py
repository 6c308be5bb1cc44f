"""Roles and databases of a Postgres server, with no more rights than each needs.

Prepared by the server's owner: the embedded server's at each start, one's own by `boscard prepare`.
"""

from __future__ import annotations

from dataclasses import replace

import psycopg
from psycopg import sql

from publish.login import Login


def prepare_database(admin: Login, owner: Login) -> None:
    """The role `owner` with its password, and its database, which nobody else may enter.

    Repeatable; a role that is there gets this password.
    """
    database = sql.Identifier(owner.database)
    with psycopg.connect(admin.url, autocommit=True) as server:
        _prepare_role(server, owner)
        known = server.execute("select 1 from pg_database where datname = %s", [owner.database])
        if not known.fetchone():
            statement = sql.SQL("create database {} owner {}")
            server.execute(statement.format(database, sql.Identifier(owner.user)))
        statement = sql.SQL("revoke all on database postgres, template1, {} from public")
        server.execute(statement.format(database))
    # Only the owner leaves anything behind: nothing in `public`, no large objects.
    with psycopg.connect(replace(admin, database=owner.database).url) as connection:
        connection.execute("revoke all on schema public from public")
        connection.execute(
            "revoke execute on function lo_creat(int), lo_create(oid),"
            " lo_from_bytea(oid, bytea) from public"
        )


def admit_reader(admin: Login, reader: Login) -> None:
    """The role `reader` with its password, which may enter its database and sees one publication.

    What it may read there, the publication itself grants. Repeatable.
    """
    role, database = sql.Identifier(reader.user), sql.Identifier(reader.database)
    isolation = sql.SQL("alter role {} set default_transaction_isolation = 'repeatable read'")
    with psycopg.connect(admin.url, autocommit=True) as server:
        _prepare_role(server, reader)
        server.execute(sql.SQL("grant connect on database {} to {}").format(database, role))
        server.execute(isolation.format(role))


def _prepare_role(server: psycopg.Connection, login: Login) -> None:
    """The server is sent the password's SCRAM verifier: a statement may end up in its log."""
    known = server.execute("select 1 from pg_roles where rolname = %s", [login.user])
    verifier = server.pgconn.encrypt_password(
        (login.password or "").encode(), login.user.encode(), b"scram-sha-256"
    )
    statement = sql.SQL("{} role {} login password {}").format(
        sql.SQL("alter" if known.fetchone() else "create"),
        sql.Identifier(login.user),
        verifier.decode(),
    )
    server.execute(statement)
