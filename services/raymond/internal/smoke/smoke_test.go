package smoke

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arc-framework/arc/services/raymond/internal/config"
	"github.com/arc-framework/arc/services/raymond/internal/deps"
	"github.com/arc-framework/arc/services/raymond/internal/redact"
)

func good(context.Context) (string, error) { return "seen", nil }
func bad(context.Context) (string, error)  { return "", errors.New("no,\nhunter2") }

func TestRunReportsEveryCheck(t *testing.T) {
	var cleaned atomic.Int32
	clean := func(context.Context) error { cleaned.Add(1); return nil }
	r := &Runner{redactor: redact.New("hunter2"), suites: []suite{
		{"a", []step{{"connect", good}, {"one", bad}, {"two", good}}, clean},
		{"b", []step{{"connect", bad}, {"one", good}}, clean},
	}}
	got := r.Run(t.Context())
	want := []Check{
		{"a", "connect", true, 0, "seen"}, {"a", "one", false, 0, "no, [redacted]"}, {"a", "two", true, 0, "seen"},
		{"b", "connect", false, 0, "no, [redacted]"}, {"b", "one", false, 0, "not run, since connect failed"},
	}
	for i := range got.Checks {
		got.Checks[i].MS = 0
	}
	if got.OK || !slices.Equal(got.Checks, want) {
		t.Errorf("report %+v", got)
	}
	if cleaned.Load() != 2 {
		t.Errorf("cleaned %d times", cleaned.Load())
	}
}

func TestAFailedCleanUpIsAFailure(t *testing.T) {
	r := &Runner{redactor: redact.New(), suites: []suite{
		{"a", []step{{"connect", good}}, func(context.Context) error { return errors.New("stream is still there") }},
	}}
	got := r.Run(t.Context())
	if got.OK || len(got.Checks) != 2 || got.Checks[1].Check != "clean up" || got.Checks[1].Message != "stream is still there" {
		t.Errorf("report %+v", got)
	}
}

func TestChecksAreLimitedAndRunAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", fmt.Errorf("waiting: %w", ctx.Err())
		}
		cleaned := false
		r := &Runner{redactor: redact.New(), suites: []suite{
			{"a", []step{{"connect", good}, {"one", hang}, {"two", good}}, func(ctx context.Context) error { cleaned = true; return ctx.Err() }},
			{"b", []step{{"connect", hang}}, nil},
		}}
		start := time.Now()
		got := r.Run(t.Context())
		if took := time.Since(start); took != CheckTimeout {
			t.Errorf("took %s", took)
		}
		if got.OK || got.Checks[1].Message != "no result within 10s: waiting: context deadline exceeded" || !got.Checks[2].OK || !cleaned {
			t.Errorf("report %+v", got)
		}
	})
}

func TestCleanUpAfterAnInterruption(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var state error = errors.New("not called")
	r := &Runner{redactor: redact.New(), suites: []suite{{"a",
		[]step{{"connect", func(ctx context.Context) (string, error) { cancel(); return "", ctx.Err() }}},
		func(ctx context.Context) error { state = ctx.Err(); return nil }}}}
	if got := r.Run(ctx); got.OK || state != nil {
		t.Errorf("report %+v, the clean-up saw %v", got, state)
	}
}

func TestOnly(t *testing.T) {
	full := &config.Config{
		SelfURL: "http://r", SherlockURL: "http://s", Postgres: &config.Postgres{},
		Redis: &config.Redis{Addr: "h:1"}, NATS: &config.NATS{URL: "nats://h"},
	}
	tests := []struct {
		name string
		cfg  *config.Config
		only []string
		want string
	}{
		{"all", full, nil, "oracle sonic flash raymond sherlock"},
		{"some", full, []string{"sherlock", "sonic"}, "sonic sherlock"},
		{"least", &config.Config{SelfURL: "http://r"}, nil, "raymond"},
		{"unknown", full, []string{"redis"}, `error: --only: no service "redis": name some of oracle, sonic`},
		{"not configured", &config.Config{}, []string{"flash"}, "error: --only: flash is not configured: set RAYMOND_NATS_URL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := New(tt.cfg, tt.only, redact.New(), slog.New(slog.DiscardHandler))
			got := ""
			if err != nil {
				got = "error: " + err.Error()
			} else {
				for _, s := range r.suites {
					got += " " + s.service
				}
			}
			if !strings.HasPrefix(strings.TrimSpace(got), tt.want) {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// run exercises one suite and returns a line for each failed check.
func run(t *testing.T, s suite) string {
	t.Helper()
	r := &Runner{redactor: redact.New(), suites: []suite{s}}
	var lines []string
	for _, c := range r.Run(t.Context()).Checks {
		if !c.OK {
			lines = append(lines, c.Check+": "+c.Message)
		}
	}
	return strings.Join(lines, "\n")
}

func TestRaymondSuite(t *testing.T) {
	metrics := "# x\nraymond_build_info{} 1\nraymond_bootstrap_done 1\nprocess_resident_memory_bytes 1\nraymond_dependency_up{a=\"b\"} 1\n"
	tests := []struct{ name, health, metrics, want string }{
		{"fine", `{"status":"ok","service":"raymond","version":"1"}`, metrics, ""},
		{"somebody else", `{"status":"ok","service":"other"}`, metrics, `status "ok" of service "other"`},
		{"not JSON", `ok`, metrics, "health: GET /health:"},
		{"not bootstrapped", `{"status":"ok","service":"raymond"}`, strings.Replace(metrics, "done 1", "done 0", 1), "no sample raymond_bootstrap_done 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/ready":
					if asked++; asked < 3 { // just started
						w.WriteHeader(http.StatusServiceUnavailable)
					}
				case "/health":
					_, _ = io.WriteString(w, tt.health)
				case "/metrics":
					_, _ = io.WriteString(w, tt.metrics)
				}
			}))
			defer srv.Close()
			if got := run(t, raymondSuite(srv.URL)); (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("failures %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPatienceEnds(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "bootstrap is not done", http.StatusServiceUnavailable)
	}))
	defer srv.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	err := awaitReady(ctx, deps.NewHTTP(deps.Raymond, srv.URL, true))
	if err == nil || !strings.Contains(err.Error(), "bootstrap is not done") {
		t.Errorf("err %v", err)
	}
}

func TestSherlockOverHTTP(t *testing.T) {
	tests := []struct {
		name   string
		answer func(chatRequest) chatAnswer
		status int
		want   string
	}{
		{"fine", func(q chatRequest) chatAnswer {
			return chatAnswer{SessionID: q.SessionID, Answer: "pong: " + strings.TrimPrefix(q.Message, "ping "), Model: "m"}
		}, 200, ""},
		{"another session", func(q chatRequest) chatAnswer { return chatAnswer{SessionID: "x", Answer: q.Message} }, 200, `answered in "x"`},
		{"no token", func(q chatRequest) chatAnswer { return chatAnswer{SessionID: q.SessionID, Answer: "hello"} }, 200, `"hello" does not hold`},
		{"refused", func(chatRequest) chatAnswer { return chatAnswer{Message: "no model"} }, 503, "503 Service Unavailable"},
		{"an error as answer", func(chatRequest) chatAnswer { return chatAnswer{Message: "no model"} }, 200, "sherlock: no model"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var session, forgotten string
			mux := http.NewServeMux()
			mux.HandleFunc("GET /", func(http.ResponseWriter, *http.Request) {})
			mux.HandleFunc("POST /v1/chat", func(w http.ResponseWriter, r *http.Request) {
				var q chatRequest
				if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.Header.Get("Content-Type") != "application/json" {
					t.Errorf("request: %v %v", err, r.Header)
				}
				session = q.SessionID
				w.WriteHeader(tt.status)
				_ = json.NewEncoder(w).Encode(tt.answer(q))
			})
			mux.HandleFunc("DELETE /v1/sessions/{id}/memory", func(_ http.ResponseWriter, r *http.Request) { forgotten = r.PathValue("id") })
			srv := httptest.NewServer(mux)
			defer srv.Close()
			s := sherlockSuite(srv.URL, nil, "1")
			s.steps = s.steps[:3] // over NATS: in the integration tests
			if got := run(t, s); (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("failures %q, want %q", got, tt.want)
			}
			if session != "smoke-1" || forgotten != session {
				t.Errorf("talked in %q, forgot %q", session, forgotten)
			}
		})
	}
}

func TestSherlockWithoutNATSIsAFailure(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	if got := run(t, sherlockSuite(srv.URL, nil, "1")); !strings.Contains(got, "answer over NATS: RAYMOND_NATS_URL is not set") {
		t.Errorf("failures %q", got)
	}
}

func TestOutput(t *testing.T) {
	report := Report{Checks: []Check{{"a", "connect", true, 1.25, "v1"}, {"a", "one", false, 0.5, "no"}}}
	var table, object bytes.Buffer
	if err := errors.Join(report.Table(&table), report.JSON(&object)); err != nil {
		t.Fatal(err)
	}
	want := "SERVICE  CHECK    RESULT  MS   MESSAGE\na        connect  ok      1.2  v1\na        one      FAILED  0.5  no\n1 of 2 checks failed\n"
	if table.String() != want {
		t.Errorf("table:\n%s", table.String())
	}
	var back map[string]any
	if err := json.Unmarshal(object.Bytes(), &back); err != nil || back["ok"] != false {
		t.Errorf("JSON: %v\n%s", err, object.String())
	}
	first := back["checks"].([]any)[0].(map[string]any)
	for _, key := range []string{"service", "check", "ok", "ms", "message"} {
		if _, ok := first[key]; !ok {
			t.Errorf("JSON check lacks %q", key)
		}
	}
}
