"""What a PostgreSQL server's refusals mean, in our own words: its texts may repeat a password or an address.

A refused connection carries no SQLSTATE, so the English words of server and libpq decide; a text in another
language gets the general words. Source: PostgreSQL 15 manual, appendix A, and libpq's `fe-connect.c`.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class PostgresRefusal(NamedTuple):
    """what: follows "cannot be reached:"; hint: how to fix it; is_passing: the same may work in a moment."""

    what: str
    hint: str
    is_passing: bool = False


_CREDENTIALS = "set the user in the URL or PGUSER, and the password in PGPASSWORD or ~/.pgpass (mode 0600)"
_CHECK = "psql with the same host, user and database says more"
_WAIT = "try again in a moment"

NO_PASSWORD = PostgresRefusal("the server asks for a password, and none is set", _CREDENTIALS)

_CONNECTING: tuple[tuple[str, PostgresRefusal], ...] = (
    ("no password supplied", NO_PASSWORD),
    (
        r"authentication failed|role \"[^\"]*\" does not exist|is not permitted to log in",
        PostgresRefusal("the server does not accept this user and password", _CREDENTIALS),
    ),
    (
        r"no pg_hba\.conf entry.*(?:no encryption|SSL off)|(?:requires|require an?) (?:SSL|TLS|encrypt)|SSL required",
        PostgresRefusal(
            "the server does not accept this user without encryption from here",
            "set PGSSLMODE=require; if that is refused, too, the server's pg_hba.conf does not name this user",
        ),
    ),
    (
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        PostgresRefusal(
            "the server does not accept this user for this database from here",
            "the server's pg_hba.conf has to name user, database and this machine",
        ),
    ),
    (
        "does not support SSL",
        PostgresRefusal("the server offers no encryption, and PGSSLMODE asks for it", "enable SSL at the server"),
    ),
    (
        r"certificate|root\.crt|SSL error|sslmode",
        PostgresRefusal(
            "the encrypted connection was not made",
            "check PGSSLMODE and PGSSLROOTCERT, and that the server's certificate is of this host",
        ),
    ),
    (
        r"database \"[^\"]*\" does not exist",
        PostgresRefusal("there is no such database", "create it first: createdb NAME; or correct the URL"),
    ),
    (
        "permission denied for database",
        PostgresRefusal("this user may not connect to the database", "GRANT CONNECT ON DATABASE … TO the user"),
    ),
    (
        r"too many clients|remaining connection slots|too many connections|no more connections allowed",
        PostgresRefusal("the server has no connection left", _WAIT, is_passing=True),
    ),
    (
        r"starting up|shutting down|in recovery mode|not (?:yet )?accepting connections",
        PostgresRefusal("the server is starting or stopping", _WAIT, is_passing=True),
    ),
    (
        r"could not translate host|failed to resolve host|Name or service not known|nodename nor servname",
        PostgresRefusal("host not found", "correct the host of the URL, or PGHOST"),
    ),
    ("timeout expired|timed out", PostgresRefusal("no answer in time", "check host, port and firewall")),
    (
        r"Connection refused|No such file or directory|No route to host|is unreachable",
        PostgresRefusal("nothing listens there", "check host and port (PGHOST, PGPORT), and that the server runs"),
    ),
    (
        r"closed the connection|Connection reset|connection to server was lost|[Bb]roken pipe",
        PostgresRefusal("the server ended the connection", "check that PostgreSQL listens there, then try again"),
    ),
)


def connect_refusal(text: str) -> PostgresRefusal:
    """Why no connection was made, by what libpq says of it."""
    for pattern, refusal in _CONNECTING:
        if re.search(pattern, text):
            return refusal
    return PostgresRefusal("the server refused the connection", f"check host, user, password and database; {_CHECK}")


def statement_refusal(sqlstate: str | None, needs: str) -> PostgresRefusal:
    """Why a statement was refused. needs: the privilege that it takes, e.g. `SELECT ON scenario_apply_states`."""
    match sqlstate or "":
        case "42501":
            return PostgresRefusal(
                f"this user lacks the privilege {needs}", f"have its owner grant it: GRANT {needs} TO the user"
            )
        case "25006":
            return PostgresRefusal(
                "the database is read-only (a replica, or default_transaction_read_only)",
                "name the primary server in the URL or PGHOST",
            )
        case "57014":
            return PostgresRefusal("the server did not finish a statement in time", _WAIT)
        case "55P03":
            return PostgresRefusal("a table is locked by another session", _WAIT)
        case "3F000":
            return PostgresRefusal(
                "the search path of this user names no schema that exists",
                "create one, or ALTER ROLE … SET search_path = …",
            )
        case "42703" | "42P10" | "42804":
            return PostgresRefusal(
                "its tables are not those of this version of scenario-apply", "use the version that the team uses"
            )
        case "22P05" | "22021":
            return PostgresRefusal(
                "the database's encoding does not hold the name of the state",
                "use letters from a to z",
            )
        case "54000":
            return PostgresRefusal("the name of the state is too long for the server", "write a shorter one in the URL")
        case "53100":
            return PostgresRefusal("the server has no space for it", "free some space on the server's disk")
        case code:
            word = f"SQLSTATE {code}" if re.fullmatch("[0-9A-Z]{5}", code) else "no code"
            return PostgresRefusal(f"the server refused a statement ({word})", "the server's log says more")
