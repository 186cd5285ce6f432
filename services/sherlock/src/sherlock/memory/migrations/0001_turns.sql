-- One row per turn. The embedding is that of the message: a later question resembles an earlier one
-- more than its answer, and the vector computed for recall is stored without asking the model again.
CREATE TABLE sherlock.turns (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id text        NOT NULL,
    message    text        NOT NULL,
    answer     text        NOT NULL,
    model      text        NOT NULL,
    -- Which space the vector lives in; vectors of different embedders are never compared.
    embedder   text        NOT NULL,
    -- No fixed length: the embedder may change. Each has a partial index of its own (migrate.py).
    embedding  vector      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX turns_session ON sherlock.turns (session_id, id);
