//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/arc-framework/arc/services/raymond/internal/bootstrap"
	"github.com/arc-framework/arc/services/raymond/internal/config"
	"github.com/arc-framework/arc/services/raymond/internal/deps"
	"github.com/arc-framework/arc/services/raymond/internal/redact"
	"github.com/arc-framework/arc/services/raymond/internal/telemetry"
)

// load reads the configuration; all three servers must be there.
func load(t *testing.T) *config.Config {
	t.Helper()
	cfg, err := config.Load(os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Postgres == nil || cfg.Redis == nil || cfg.NATS == nil {
		t.Fatal("set RAYMOND_POSTGRES_HOST, RAYMOND_REDIS_ADDR and RAYMOND_NATS_URL")
	}
	return cfg
}

// open connects to all three.
func open(t *testing.T, cfg *config.Config) (*deps.Set, *slog.Logger, *redact.Redactor) {
	t.Helper()
	r := redact.New(cfg.Secrets()...)
	log := telemetry.NewLogger(io.Discard, slog.LevelInfo, r)
	set, err := deps.New(cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	set.Flash.Start()
	t.Cleanup(set.Close)
	eventually(t, "the connection to flash", func() bool { _, err := set.Flash.Kept(); return err == nil })
	return set, log, r
}

// dial connects to NATS for a test's own use.
func dial(t *testing.T, set *deps.Set) *nats.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	conn, err := set.Flash.Dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// provisioned tells, for each service, how to remove what bootstrap makes there
// and how to find it.
func provisioned(t *testing.T, set *deps.Set) map[string]struct {
	remove func() error
	exists func() bool
} {
	t.Helper()
	conn, pool, client := dial(t, set), set.Oracle.Pool(), set.Sonic.Client()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	streams := []string{"ARC_EVENTS", "ARC_REASONER"}
	return map[string]struct {
		remove func() error
		exists func() bool
	}{
		"oracle": {
			func() error {
				statements := "DROP SCHEMA IF EXISTS arc CASCADE"
				if superuser(t, set) {
					statements += "; DROP EXTENSION IF EXISTS vector"
				}
				_, err := pool.Exec(t.Context(), statements)
				return err
			},
			func() bool {
				var n int
				err := pool.QueryRow(t.Context(), "SELECT count(*) FROM arc.inventory, pg_extension WHERE extname = 'vector'").Scan(&n)
				return err == nil && n > 0
			},
		},
		"sonic": {
			func() error { return client.Del(t.Context(), bootstrap.MarkerKey).Err() },
			func() bool { return client.Exists(t.Context(), bootstrap.MarkerKey).Val() == 1 },
		},
		"flash": {
			func() error {
				for _, name := range streams {
					if err := js.DeleteStream(t.Context(), name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
						return err
					}
				}
				return nil
			},
			func() bool {
				for _, name := range streams {
					if _, err := js.Stream(t.Context(), name); err != nil {
						return false
					}
				}
				return true
			},
		},
	}
}

// superuser tells whether raymond's user may make extensions. In the product it
// may not: oracle itself makes the extension vector.
func superuser(t *testing.T, set *deps.Set) bool {
	t.Helper()
	var is bool
	if err := set.Oracle.Pool().QueryRow(t.Context(), "SELECT current_setting('is_superuser')::bool").Scan(&is); err != nil {
		t.Fatal(err)
	}
	return is
}

// reset removes all that bootstrap provisions.
func reset(t *testing.T, set *deps.Set) {
	t.Helper()
	for name, p := range provisioned(t, set) {
		if err := p.remove(); err != nil {
			t.Fatal(err)
		}
		if p.exists() {
			t.Fatalf("%s: still there", name)
		}
	}
}

// eventually waits for 20 s at most.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within 20 s: %s", what)
}

// wire stands between raymond and a real server. Cut breaks every connection
// and refuses new ones, as a server that died does; Mend lets them through.
type wire struct {
	address string // of the wire
	server  string

	mu       sync.Mutex
	listener net.Listener
	open     []net.Conn
}

func newWire(t *testing.T, server string) *wire {
	t.Helper()
	w := &wire{server: server}
	w.Mend(t)
	t.Cleanup(w.Cut)
	return w
}

// port returns the port of the wire.
func (w *wire) port() string { return w.address[strings.LastIndex(w.address, ":")+1:] }

func (w *wire) Mend(t *testing.T) {
	t.Helper()
	address := w.address
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.listener, w.address = l, l.Addr().String()
	w.mu.Unlock()
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go w.join(client)
		}
	}()
}

func (w *wire) join(client net.Conn) {
	server, err := net.Dial("tcp", w.server)
	if err != nil {
		_ = client.Close()
		return
	}
	w.mu.Lock()
	w.open = append(w.open, client, server)
	w.mu.Unlock()
	go func() { _, _ = io.Copy(server, client); _ = server.Close() }()
	_, _ = io.Copy(client, server)
	_ = client.Close()
}

func (w *wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.listener.Close()
	for _, c := range w.open {
		_ = c.Close()
	}
	w.open = nil
}

func hostPort(cfg *config.Config) (postgres, redis, flash string) {
	return net.JoinHostPort(cfg.Postgres.Host, fmt.Sprint(cfg.Postgres.Port)), cfg.Redis.Addr,
		strings.TrimPrefix(cfg.NATS.URL, "nats://")
}
