package telemetry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/arc-framework/arc/services/raymond/internal/redact"
)

func TestSpansReachTheCollectorAndTheLog(t *testing.T) {
	var mu sync.Mutex
	var paths []string
	var received bytes.Buffer
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		paths = append(paths, r.URL.Path)
		_, _ = io.Copy(&received, r.Body)
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")

	var out bytes.Buffer
	log := NewLogger(&out, slog.LevelInfo, redact.New("hunter2"))
	flush, err := StartTracing(t.Context(), collector.URL, log)
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("auth hunter2")
	err = InSpan(t.Context(), "smoke oracle connect", func(ctx context.Context) error {
		log.With("a", 1).WithGroup("g").InfoContext(ctx, "inside", "password", "x")
		return cause
	})
	if !errors.Is(err, cause) {
		t.Errorf("err %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := flush(ctx); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(paths) != 1 || paths[0] != "/v1/traces" {
		t.Errorf("requests %v", paths)
	}
	for _, want := range []string{"smoke oracle connect", "raymond", "deployment.environment"} {
		if !strings.Contains(received.String(), want) {
			t.Errorf("the export lacks %q", want)
		}
	}
	if strings.Contains(received.String(), "hunter2") {
		t.Error("the export holds a password")
	}
	if got := out.String(); !strings.Contains(got, `"trace_id":"`) || strings.Contains(got, `"password":"x"`) {
		t.Errorf("log: %s", got)
	}
}

func TestWithoutEndpointNothingStarts(t *testing.T) {
	flush, err := StartTracing(t.Context(), "", slog.New(slog.DiscardHandler))
	if err != nil || flush(t.Context()) != nil {
		t.Errorf("err %v", err)
	}
}

func TestMetrics(t *testing.T) {
	m := NewMetrics()
	m.Probed("oracle", false, time.Millisecond)
	m.Changed("oracle", false)
	m.Attempted("schema", errors.New("x"))
	m.Attempted("schema", nil)
	m.BootstrapDone(true)
	m.Served("GET /ready", "503", time.Millisecond)
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{
		`raymond_dependency_up{dependency="oracle"} 0`, `raymond_dependency_probe_seconds_count{dependency="oracle"} 1`,
		`raymond_dependency_transitions_total{dependency="oracle",to="down"} 1`,
		`raymond_bootstrap_attempts_total{result="error",step="schema"} 1`, `raymond_bootstrap_done 1`,
		`raymond_http_requests_total{code="503",route="GET /ready"} 1`, `process_resident_memory_bytes`,
	} {
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}
