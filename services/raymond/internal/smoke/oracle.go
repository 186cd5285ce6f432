package smoke

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/arc-framework/arc/services/raymond/internal/config"
	"github.com/arc-framework/arc/services/raymond/internal/deps"
)

// oracle holds one connection: temporary tables live and end with it.
type oracle struct {
	cfg  *config.Postgres
	pg   *deps.Postgres
	conn *pgxpool.Conn
}

func oracleSuite(cfg *config.Postgres) suite {
	o := &oracle{cfg: cfg}
	return suite{deps.Oracle, []step{
		{"connect", o.connect},
		{"write and read rows", o.rows},
		{"roll back", o.rollback},
		{"nearest vectors", o.vectors},
	}, o.clean}
}

func (o *oracle) connect(ctx context.Context) (string, error) {
	pg, err := deps.NewPostgres(o.cfg)
	if err != nil {
		return "", err
	}
	o.pg = pg
	if o.conn, err = pg.Pool().Acquire(ctx); err != nil {
		return "", deps.Plain(err)
	}
	return pg.Ping(ctx)
}

func (o *oracle) rows(ctx context.Context) (string, error) {
	if _, err := o.conn.Exec(ctx, "CREATE TEMP TABLE smoke_rows (id integer PRIMARY KEY, body text NOT NULL)"); err != nil {
		return "", err
	}
	const count = 100
	for id := range count {
		if _, err := o.conn.Exec(ctx, "INSERT INTO smoke_rows VALUES ($1, $2)", id, fmt.Sprintf("row %d", id)); err != nil {
			return "", err
		}
	}
	var got, sum int
	var body string
	const query = "SELECT count(*), sum(id), max(body) FILTER (WHERE id = 42) FROM smoke_rows"
	if err := o.conn.QueryRow(ctx, query).Scan(&got, &sum, &body); err != nil {
		return "", err
	}
	if got != count || sum != count*(count-1)/2 || body != "row 42" {
		return "", fmt.Errorf("wrote %d rows, read %d with the sum %d and %q", count, got, sum, body)
	}
	return fmt.Sprintf("%d rows written and read", got), nil
}

func (o *oracle) rollback(ctx context.Context) (string, error) {
	tx, err := o.conn.Begin(ctx)
	if err != nil {
		return "", err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM smoke_rows"); err != nil {
		return "", err
	}
	if err := tx.Rollback(ctx); err != nil {
		return "", err
	}
	var left int
	if err := o.conn.QueryRow(ctx, "SELECT count(*) FROM smoke_rows").Scan(&left); err != nil {
		return "", err
	}
	if left != 100 {
		return "", fmt.Errorf("%d of 100 rows are left after a rolled back delete", left)
	}
	return "a rolled back delete left all rows", nil
}

func (o *oracle) vectors(ctx context.Context) (string, error) {
	for _, statement := range []string{
		"CREATE TEMP TABLE smoke_vectors (name text PRIMARY KEY, at vector(3) NOT NULL)",
		"INSERT INTO smoke_vectors VALUES ('x', '[1,0,0]'), ('y', '[0,1,0]'), ('z', '[0,0,1]'), ('far x', '[9,0.1,0]')",
		"CREATE INDEX ON smoke_vectors USING hnsw (at vector_l2_ops)",
	} {
		if _, err := o.conn.Exec(ctx, statement); err != nil {
			return "", err
		}
	}
	for _, want := range []struct {
		distance, query string
		order           []string
	}{
		{"<->", "[0.1,0.9,0.2]", []string{"y", "z"}}, // Euclidean
		{"<=>", "[5,0,0]", []string{"x", "far x"}},   // cosine: the length does not count
	} {
		rows, err := o.conn.Query(ctx, "SELECT name FROM smoke_vectors ORDER BY at "+want.distance+" $1::text::vector LIMIT 2", want.query)
		if err != nil {
			return "", err
		}
		got, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return "", err
		}
		if !slices.Equal(got, want.order) {
			return "", fmt.Errorf("nearest to %s by %s are %q, not %q", want.query, want.distance, got, want.order)
		}
	}
	return "nearest by Euclidean and cosine distance are right", nil
}

func (o *oracle) clean(ctx context.Context) error {
	if o.conn != nil {
		// Ends the session, and with it the temporary tables.
		if err := o.conn.Hijack().Close(ctx); err != nil {
			return err
		}
	}
	if o.pg != nil {
		o.pg.Close()
	}
	return nil
}
