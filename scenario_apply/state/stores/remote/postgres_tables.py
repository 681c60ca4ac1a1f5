"""The tables of a PostgreSQL store. They are made once, in the first schema of the user's search path."""

from __future__ import annotations

from contextlib import suppress
from typing import LiteralString

from scenario_apply.state.stores.remote.backend import StoreUnavailable
from scenario_apply.state.stores.remote.postgres_session import PostgresSession

_CREATE: LiteralString = """
SELECT pg_advisory_xact_lock(7164769265013);
CREATE TABLE IF NOT EXISTS scenario_apply_states (
    name text PRIMARY KEY, content bytea NOT NULL, version text NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE IF NOT EXISTS scenario_apply_backups (
    name text, serial bigint, content bytea NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (name, serial));
CREATE TABLE IF NOT EXISTS scenario_apply_calls (
    name text, call text, content bytea NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (name, call));
CREATE TABLE IF NOT EXISTS scenario_apply_leases (
    name text PRIMARY KEY, holder text NOT NULL, token text NOT NULL, backend integer NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp());
"""
"""One transaction. The lock lets one of many first contenders create, while the others find the tables there."""

_HIDDEN: LiteralString = """
SELECT spaces.nspname::text FROM pg_class AS tables JOIN pg_namespace AS spaces ON spaces.oid = tables.relnamespace
WHERE tables.relname = 'scenario_apply_states' AND NOT has_schema_privilege(spaces.oid, 'USAGE')
  AND spaces.nspname = ANY (string_to_array(translate(current_setting('search_path'), '" ', ''), ','))
"""
"""Schemas of the search path whose tables are passed over because their user may not look into them."""


def create_tables(session: PostgresSession) -> None:
    """Make the tables that are missing. Raises StoreUnavailable, which names the privilege."""
    refuse_hidden(session)
    schema = session.run("SELECT current_schema()::text", needs="")[0][0]
    try:
        session.run(_CREATE, needs=f"CREATE ON SCHEMA {schema}")
    except StoreUnavailable:
        with suppress(StoreUnavailable):
            session.run("SELECT 'scenario_apply_leases'::regclass", needs="")
            return  # made meanwhile
        raise


def refuse_hidden(session: PostgresSession) -> None:
    """Raises StoreUnavailable for tables that a missing privilege hides: they may hold the state."""
    for (schema,) in session.run(_HIDDEN, needs="SELECT ON pg_catalog.pg_class"):
        raise StoreUnavailable(
            f"{session.shown}: this user may not look into the schema {schema}, where the state may be",
            hint=f"have its owner grant it: GRANT USAGE ON SCHEMA {schema} TO the user",
        )
