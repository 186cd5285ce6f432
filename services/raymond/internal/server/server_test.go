package server

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/arc-framework/arc/services/raymond/internal/bootstrap"
	"github.com/arc-framework/arc/services/raymond/internal/health"
	"github.com/arc-framework/arc/services/raymond/internal/redact"
	"github.com/arc-framework/arc/services/raymond/internal/telemetry"
)

type state struct {
	results []health.Result
	done    bool
	steps   []bootstrap.StepState
	slow    time.Duration
}

func (s *state) Check(ctx context.Context) []health.Result {
	select {
	case <-time.After(s.slow):
	case <-ctx.Done():
	}
	return s.results
}
func (s *state) Snapshot() []health.Result    { return s.results }
func (s *state) Done() bool                   { return s.done }
func (s *state) Steps() []bootstrap.StepState { return s.steps }
func (s *state) Items() []bootstrap.Item {
	return []bootstrap.Item{{Service: "flash", Kind: "stream", Name: "ARC_EVENTS", Action: bootstrap.Created}}
}

func newServer(s *state) *Server {
	return New(s, s, telemetry.NewMetrics(), telemetry.NewLogger(io.Discard, slog.LevelInfo, redact.New()))
}

func result(service string, required, ok bool) health.Result {
	return health.Result{Service: service, Required: required, Healthy: ok, Message: "m-" + service, MS: 1.5}
}

func TestAnswers(t *testing.T) {
	good := []health.Result{result("oracle", true, true), result("sherlock", false, true)}
	lost := []health.Result{result("oracle", true, false), result("sherlock", false, false)}
	optional := []health.Result{result("oracle", true, true), result("sherlock", false, false)}
	failing := []bootstrap.StepState{{Service: "sonic", Name: "marker", Error: "refused"}}
	tests := []struct {
		name, path string
		state      state
		code       int
		want       []string
	}{
		{"index", "/", state{}, 200, []string{`"/health/deep"`}},
		{"live, whatever happens", "/health", state{results: lost}, 200, []string{`"status":"ok"`}},
		{"deep", "/health/deep", state{results: good}, 200, []string{`"status":"healthy"`, `"ms":1.5`}},
		{"deep, lost", "/health/deep", state{results: lost}, 503, []string{`"status":"unhealthy"`, "m-oracle"}},
		{"deep, optional lost", "/health/deep", state{results: optional}, 200, []string{`"status":"degraded"`}},
		{"ready", "/ready", state{results: optional, done: true}, 200, []string{`"ready":true`, `"reasons":[]`}},
		{"not bootstrapped", "/ready", state{results: good}, 503, []string{`"bootstrap is not done"`}},
		{"bootstrap fails", "/ready", state{results: good, steps: failing}, 503, []string{`marker (sonic): refused`}},
		{"dependency lost", "/ready", state{results: lost, done: true}, 503, []string{`"oracle does not answer: m-oracle"`}},
		{"info", "/info", state{results: good, done: true}, 200, []string{`"version":`, `"go":"go1`, `"ARC_EVENTS"`, `"oracle"`}},
		{"metrics", "/metrics", state{}, 200, []string{"raymond_build_info{", "go_goroutines"}},
		{"unknown", "/nothing", state{}, 404, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			newServer(&tt.state).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, tt.path, nil))
			if rec.Code != tt.code {
				t.Errorf("code %d, want %d: %s", rec.Code, tt.code, rec.Body)
			}
			for _, want := range tt.want {
				if !strings.Contains(rec.Body.String(), want) {
					t.Errorf("answer lacks %s: %s", want, rec.Body)
				}
			}
			if tt.path != "/metrics" && tt.code != 404 && !json.Valid(rec.Body.Bytes()) {
				t.Errorf("not JSON: %s", rec.Body)
			}
		})
	}
}

func TestOnlyGet(t *testing.T) {
	rec := httptest.NewRecorder()
	newServer(&state{}).ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/ready", nil))
	if rec.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST /ready gave %d", rec.Code)
	}
}

type panics struct{ state }

func (*panics) Check(context.Context) []health.Result { panic("boom") }

func TestAPanicIsA500AndIsCounted(t *testing.T) {
	p := &panics{}
	s := New(p, p, telemetry.NewMetrics(), telemetry.NewLogger(io.Discard, slog.LevelInfo, redact.New()))
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/health/deep", nil))
	if rec.Code != http.StatusInternalServerError {
		t.Errorf("code %d", rec.Code)
	}
	rec = httptest.NewRecorder()
	s.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if want := `raymond_http_requests_total{code="500",route="GET /health/deep"} 1`; !strings.Contains(rec.Body.String(), want) {
		t.Errorf("metrics lack %s", want)
	}
}

func TestServeDrains(t *testing.T) {
	s := newServer(&state{slow: 300 * time.Millisecond})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()

	type outcome struct {
		code int
		err  error
	}
	answered := make(chan outcome, 1)
	go func() {
		resp, err := http.Get("http://" + l.Addr().String() + "/health/deep")
		if err != nil {
			answered <- outcome{err: err}
			return
		}
		_ = resp.Body.Close()
		answered <- outcome{code: resp.StatusCode}
	}()
	time.Sleep(100 * time.Millisecond) // the request is under way
	stop()
	if got := <-answered; got.err != nil || got.code != 200 {
		t.Errorf("the request under way: %+v", got)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/ready", nil))
	if rec.Code != 503 || !strings.Contains(rec.Body.String(), "stopping") {
		t.Errorf("ready while stopping: %d %s", rec.Code, rec.Body)
	}
}

func TestListenNamesTheVariable(t *testing.T) {
	l, err := Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, err = Listen(l.Addr().(*net.TCPAddr).Port)
	if err == nil || !strings.Contains(err.Error(), "RAYMOND_PORT: cannot listen on") {
		t.Errorf("err %v", err)
	}
}
