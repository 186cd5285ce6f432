package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/arc-framework/arc/services/raymond/internal/backoff"
	"github.com/arc-framework/arc/services/raymond/internal/deps"
)

// lockKey keeps two of us from migrating at once: "arc" in ASCII.
const lockKey = 0x617263

const createTable = `CREATE TABLE IF NOT EXISTS arc.schema_migrations (
    version    integer     PRIMARY KEY,
    name       text        NOT NULL,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)`

// Schema makes the database have the extension vector, the schema arc, and
// all migrations in it. It is one transaction: all or nothing.
func Schema(ctx context.Context, pool *pgxpool.Pool, files fs.FS) ([]Item, error) {
	migrations, err := loadMigrations(files)
	if err != nil {
		return nil, backoff.Permanent(err)
	}
	var items []Item
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", lockKey); err != nil {
			return err
		}
		extension, err := ensureExtension(ctx, tx)
		if err != nil {
			return err
		}
		schema, err := ensureSchema(ctx, tx)
		if err != nil {
			return err
		}
		migrated, err := migrate(ctx, tx, migrations)
		items = append([]Item{extension, schema}, migrated...)
		return err
	})
	if err != nil {
		return nil, deps.Plain(err)
	}
	return items, nil
}

func ensureExtension(ctx context.Context, tx pgx.Tx) (Item, error) {
	item := Item{Service: "oracle", Kind: "extension", Name: "vector", Action: Unchanged}
	const find = "SELECT extversion FROM pg_extension WHERE extname = 'vector'"
	err := tx.QueryRow(ctx, find).Scan(&item.Detail)
	if !errors.Is(err, pgx.ErrNoRows) {
		return item, err
	}
	if _, err := tx.Exec(ctx, "CREATE EXTENSION vector"); err != nil {
		return item, fmt.Errorf("extension vector is missing, and cannot be created by this user: run CREATE EXTENSION vector as a superuser: %w", err)
	}
	item.Action = Created
	return item, tx.QueryRow(ctx, find).Scan(&item.Detail)
}

func ensureSchema(ctx context.Context, tx pgx.Tx) (Item, error) {
	item := Item{Service: "oracle", Kind: "schema", Name: "arc", Action: Unchanged}
	var exists bool
	if err := tx.QueryRow(ctx, "SELECT to_regclass('arc.schema_migrations') IS NOT NULL").Scan(&exists); err != nil || exists {
		return item, err
	}
	item.Action = Created
	for _, statement := range []string{"CREATE SCHEMA IF NOT EXISTS arc", createTable} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return item, err
		}
	}
	return item, nil
}

func migrate(ctx context.Context, tx pgx.Tx, migrations []migration) ([]Item, error) {
	applied, err := appliedMigrations(ctx, tx)
	if err != nil {
		return nil, err
	}
	var items []Item
	for _, m := range migrations {
		item := Item{Service: "oracle", Kind: "migration", Name: fmt.Sprintf("%04d_%s", m.version, m.name), Action: Unchanged}
		checksum, done := applied[m.version]
		switch {
		case done && checksum != m.checksum:
			return nil, backoff.Permanent(fmt.Errorf("migration %s was changed after it was applied: restore it and add a new one", item.Name))
		case !done:
			if err := apply(ctx, tx, m); err != nil {
				return nil, fmt.Errorf("migration %s: %w", item.Name, err)
			}
			item.Action = Created
		}
		items = append(items, item)
	}
	return items, nil
}

func appliedMigrations(ctx context.Context, tx pgx.Tx) (map[int]string, error) {
	rows, err := tx.Query(ctx, "SELECT version, checksum FROM arc.schema_migrations")
	if err != nil {
		return nil, err
	}
	applied := make(map[int]string)
	var version int
	var checksum string
	_, err = pgx.ForEachRow(rows, []any{&version, &checksum}, func() error {
		applied[version] = checksum
		return nil
	})
	return applied, err
}

func apply(ctx context.Context, tx pgx.Tx, m migration) error {
	// Without arguments the simple protocol is used: several statements.
	if _, err := tx.Exec(ctx, m.sql); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "INSERT INTO arc.schema_migrations (version, name, checksum) VALUES ($1, $2, $3)", m.version, m.name, m.checksum)
	return err
}
