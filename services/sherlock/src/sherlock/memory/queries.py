"""The statements of the memory."""

from __future__ import annotations

from psycopg import sql

# Exact up to this number of rows; above, counting at each look would cost too much.
_COUNTED_ROWS = 100_000


class Queries:
    """Statements for one embedder.

    Its name and length stand in the text as literals: PostgreSQL uses the partial index only when it can
    prove the index's condition, which a parameter of a prepared statement does not let it do.
    """

    latest = sql.SQL(
        "SELECT message, answer FROM sherlock.turns WHERE session_id = %s ORDER BY id DESC LIMIT %s"
    )
    page = sql.SQL(
        "SELECT id, message, answer, model, created_at FROM sherlock.turns"
        " WHERE session_id = %(session)s AND (%(before)s::bigint IS NULL OR id < %(before)s)"
        " ORDER BY id DESC LIMIT %(limit)s"
    )
    count = sql.SQL("SELECT count(*) FROM sherlock.turns WHERE session_id = %s")
    forget = sql.SQL("DELETE FROM sherlock.turns WHERE session_id = %s")
    alive = sql.SQL("SELECT 1")
    size = sql.SQL(
        "SELECT CASE WHEN reltuples > {rows} THEN reltuples ELSE (SELECT count(*) FROM sherlock.turns) END,"
        " pg_total_relation_size(oid) FROM pg_class WHERE oid = 'sherlock.turns'::regclass"
    ).format(rows=sql.Literal(_COUNTED_ROWS))
    # The deletion sees the table as it was before the insertion: `kept` of the old turns stay.
    insert = sql.SQL(
        "WITH old AS (DELETE FROM sherlock.turns WHERE session_id = %(session)s AND id <= (SELECT id FROM"
        " sherlock.turns WHERE session_id = %(session)s ORDER BY id DESC OFFSET %(kept)s LIMIT 1))"
        " INSERT INTO sherlock.turns (session_id, message, answer, model, embedder, embedding) VALUES"
        " (%(session)s, %(message)s, %(answer)s, %(model)s, %(embedder)s, %(embedding)s) RETURNING id"
    )

    def __init__(self, embedder: str, dimensions: int) -> None:
        """Write the statement that depends on the embedder.

        Args:
            embedder: name of the embedding space.
            dimensions: length of its vectors.
        """
        self.nearest = sql.SQL(
            "SELECT message, answer FROM ("
            "SELECT message, answer, embedding::vector({dimensions}) <=> %(embedding)s AS distance"
            " FROM sherlock.turns WHERE session_id = %(session)s AND embedder = {embedder}"
            " ORDER BY embedding::vector({dimensions}) <=> %(embedding)s LIMIT %(limit)s"
            ") AS nearest WHERE distance <= %(distance)s ORDER BY distance"
        ).format(dimensions=sql.Literal(dimensions), embedder=sql.Literal(embedder))
