//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/arc-framework/arc/services/raymond/internal/config"
	"github.com/arc-framework/arc/services/raymond/internal/deps"
	"github.com/arc-framework/arc/services/raymond/internal/redact"
	"github.com/arc-framework/arc/services/raymond/internal/smoke"
)

// contents lists all keys, streams and tables.
func contents(t *testing.T, set *deps.Set) []string {
	t.Helper()
	all, err := set.Sonic.Client().Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(dial(t, set))
	if err != nil {
		t.Fatal(err)
	}
	streams := js.StreamNames(t.Context())
	for name := range streams.Name() {
		all = append(all, name)
	}
	if streams.Err() != nil {
		t.Fatal(streams.Err())
	}
	rows, err := set.Oracle.Pool().Query(t.Context(), "SELECT relnamespace::regnamespace::text || '.' || relname FROM pg_class WHERE relname LIKE '%smoke%'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func smokeAll(ctx context.Context, t *testing.T, cfg *config.Config, only ...string) smoke.Report {
	t.Helper()
	runner, err := smoke.New(cfg, only, redact.New(cfg.Secrets()...), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return runner.Run(ctx)
}

func TestSmokeLeavesNothing(t *testing.T) {
	cfg := load(t)
	set, _, _ := open(t, cfg)
	before := contents(t, set)
	report := smokeAll(t.Context(), t, cfg, "oracle", "sonic", "flash")
	if !report.OK || len(report.Checks) != 12 {
		t.Errorf("report %+v", report)
	}
	if after := contents(t, set); !slices.Equal(before, after) {
		t.Errorf("left behind:\n%v\n%v", before, after)
	}
}

// Interrupted in the middle, it still removes what it made. The key that
// expires is removed too.
func TestAnInterruptedSmokeLeavesNothing(t *testing.T) {
	cfg := load(t)
	set, _, _ := open(t, cfg)
	before := contents(t, set)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if report := smokeAll(ctx, t, cfg, "oracle", "sonic", "flash"); report.OK {
		t.Error("an interrupted run is fine")
	}
	eventually(t, "nothing is left behind", func() bool { return slices.Equal(before, contents(t, set)) })
}

func TestSmokeTellsAWrongPassword(t *testing.T) {
	environ := append(os.Environ(), "POSTGRES_PASSWORD=wrong-hunter2", "REDIS_PASSWORD=wrong-hunter2", "NATS_PASSWORD=wrong-hunter2")
	cfg, err := config.Load(environ)
	if err != nil {
		t.Fatal(err)
	}
	report := smokeAll(t.Context(), t, cfg, "oracle", "sonic", "flash")
	text := fmt.Sprintf("%+v", report)
	for _, want := range []string{"password authentication failed", "WRONGPASS", "Authorization Violation"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if report.OK || strings.Contains(text, "hunter2") {
		t.Errorf("report %s", text)
	}
}

// sherlock's part is played by this test; the transport is real.
func TestSherlockOverNATS(t *testing.T) {
	cfg := load(t)
	set, _, _ := open(t, cfg)
	provision(t, set)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			answer(t, r.Body.Read, func(b []byte) { _, _ = w.Write(b) })
		}
	}))
	defer srv.Close()
	cfg.SherlockURL = srv.URL
	if report := smokeAll(t.Context(), t, cfg, "sherlock"); report.OK || !strings.Contains(report.Checks[3].Message, "nobody listens on arc.reasoner.request") {
		t.Errorf("without a listener: %+v", report)
	}
	conn := dial(t, set)
	sub, err := conn.Subscribe(smoke.ReasonerSubject, func(m *nats.Msg) {
		answer(t, func(p []byte) (int, error) { return copy(p, m.Data), nil }, func(b []byte) { _ = m.Respond(b) })
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	if report := smokeAll(t.Context(), t, cfg, "sherlock"); !report.OK || len(report.Checks) != 4 {
		t.Errorf("report %+v", report)
	}
}

// answer reads a request and writes what the deterministic model answers.
func answer(t *testing.T, read func([]byte) (int, error), write func([]byte)) {
	buffer := make([]byte, 4096)
	n, _ := read(buffer)
	var q struct {
		SessionID string `json:"session_id"`
		Message   string `json:"message"`
		Stream    bool   `json:"stream"`
	}
	if err := json.Unmarshal(buffer[:n], &q); err != nil {
		t.Errorf("request %q: %v", buffer[:n], err)
	}
	body, _ := json.Marshal(map[string]any{"session_id": q.SessionID, "answer": "pong " + q.Message, "model": "arc-tiny", "steps": []string{}})
	write(body)
}
