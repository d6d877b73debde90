from __future__ import annotations

import pytest
from tests.postgres_server import postgres_server

from candlewick.errors import InputError, StoreError, StoreUnavailableError
from candlewick.postgres_address import PostgresAddress, is_postgres, shown


def test_the_schema_is_ours_and_the_rest_is_libpqs() -> None:
    address = PostgresAddress.parse("postgres://desk:geheim@db:5433/market?sslmode=require&schema=desk_2")
    assert address.conninfo == "postgresql://desk:geheim@db:5433/market?sslmode=require"
    assert address.schema == "desk_2"
    assert address.shown == "postgresql://desk@db:5433/market?sslmode=require&schema=desk_2"
    assert PostgresAddress.parse("postgresql:///market").schema == "candlewick"
    assert "search_path=desk_2" in address.options()["options"]


def test_options_of_the_address_are_kept() -> None:
    address = PostgresAddress.parse("postgresql:///market?options=-c%20work_mem%3D8MB")
    assert address.options()["options"].endswith("-c work_mem=8MB")


@pytest.mark.parametrize("secret", ["postgresql://a:geheim@db/x", "postgresql://db/x?user=a&password=geheim"])
def test_no_password_is_shown(secret: str) -> None:
    assert "geheim" not in shown(secret)


def test_other_addresses_are_shown_as_they_are() -> None:
    assert shown("duckdb:///a.duckdb") == "duckdb:///a.duckdb"
    assert not is_postgres("duckdb:///a.duckdb")


@pytest.mark.parametrize(
    ("url", "parameter"),
    [
        ("mysql://db/x", "store"),
        ("postgresql://a:geheim@db:port/x", "store"),
        ("postgresql://a:geheim@db/x?nothing", "store"),
        ("postgresql://db/x?schema=Desk", "schema"),
        ("postgresql://db/x?schema=a;drop", "schema"),
        ("postgresql://db/x?schema=", "schema"),
    ],
)
def test_what_cannot_be_used_is_refused_without_its_password(url: str, parameter: str) -> None:
    with pytest.raises(InputError) as caught:
        PostgresAddress.parse(url)
    assert caught.value.parameter == parameter
    assert "geheim" not in str(caught.value)


def test_a_database_that_is_not_there_is_no_reason_to_come_again() -> None:
    here = postgres_server().url().replace("/postgres?", "/absent?")
    with pytest.raises(StoreError, match="absent"):
        PostgresAddress.parse(here).connect()


def test_a_statement_that_cannot_be_is_an_error_of_ours() -> None:
    address = PostgresAddress.parse(postgres_server().url())
    with address.connect() as connection:
        with pytest.raises(StoreError, match="syntax error") as caught, address.told():
            connection.execute("SELEKT")
        assert not isinstance(caught.value, StoreUnavailableError)
        with pytest.raises(StoreUnavailableError, match="timeout"), address.told():
            connection.execute("SET statement_timeout = 10")
            connection.execute("SELECT pg_sleep(10)")
