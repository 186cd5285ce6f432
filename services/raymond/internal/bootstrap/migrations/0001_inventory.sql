-- What bootstrap has provisioned, for people and tools that ask the database.
CREATE TABLE arc.inventory (
    service    text        NOT NULL,
    kind       text        NOT NULL,
    name       text        NOT NULL,
    detail     text        NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (service, kind, name)
);
