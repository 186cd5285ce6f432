package deps

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/arc-framework/arc/services/raymond/internal/config"
)

// connectTimeout is how long one connection may take to come up.
const connectTimeout = 3 * time.Second

// Postgres is the client of oracle.
type Postgres struct {
	target string
	pool   *pgxpool.Pool
}

// NewPostgres makes a pool that connects when first used.
func NewPostgres(cfg *config.Postgres) (*Postgres, error) {
	// All of these are given, so that no PG* variable of the environment says
	// where to go; the password never enters the string.
	pc, err := pgxpool.ParseConfig(fmt.Sprintf(
		"host=%s port=%d user=%s dbname=%s sslmode=%s application_name=raymond",
		quote(cfg.Host), cfg.Port, quote(cfg.User), quote(cfg.Database), cfg.SSLMode))
	if err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	pc.ConnConfig.Password = cfg.Password.Reveal()
	pc.ConnConfig.ConnectTimeout = connectTimeout
	pc.MaxConns = 4
	pool, err := pgxpool.NewWithConfig(context.Background(), pc)
	if err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	target := net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port)) + "/" + cfg.Database
	return &Postgres{target: target, pool: pool}, nil
}

// quote makes a value safe in a connection string.
func quote(v string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v) + "'"
}

// Pool returns the connections.
func (p *Postgres) Pool() *pgxpool.Pool { return p.pool }

// Name returns "oracle".
func (p *Postgres) Name() string { return Oracle }

// Target returns host:port/database.
func (p *Postgres) Target() string { return p.target }

// Required returns true.
func (p *Postgres) Required() bool { return true }

// Ping runs a query and returns the server's version.
func (p *Postgres) Ping(ctx context.Context) (string, error) {
	var version string
	if err := p.pool.QueryRow(ctx, "SELECT current_setting('server_version')").Scan(&version); err != nil {
		return "", Plain(err)
	}
	return "PostgreSQL " + version, nil
}

// Close closes the pool.
func (p *Postgres) Close() { p.pool.Close() }

// Plain returns the cause of a failed connection: the driver's own error lists
// every attempt, with and without TLS. Another error is returned as it is.
func Plain(err error) error {
	var connect *pgconn.ConnectError
	if !errors.As(err, &connect) {
		return err
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused
	}
	var network *net.OpError
	if errors.As(err, &network) {
		return network
	}
	var name *net.DNSError
	if errors.As(err, &name) {
		return name
	}
	return err
}
