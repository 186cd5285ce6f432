// Package server is raymond's HTTP interface.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/arc-framework/arc/services/raymond/internal/bootstrap"
	"github.com/arc-framework/arc/services/raymond/internal/health"
	"github.com/arc-framework/arc/services/raymond/internal/telemetry"
)

// drainTime is how long requests under way may take to end after a stop.
const drainTime = 5 * time.Second

// Health is what the server asks of the health monitor.
type Health interface {
	Check(ctx context.Context) []health.Result
	Snapshot() []health.Result
}

// Bootstrap is what the server asks of the bootstrap runner.
type Bootstrap interface {
	Done() bool
	Steps() []bootstrap.StepState
	Items() []bootstrap.Item
}

// Server answers HTTP requests.
type Server struct {
	health    Health
	bootstrap Bootstrap
	metrics   *telemetry.Metrics
	log       *slog.Logger
	started   time.Time
	stopping  atomic.Bool
	handler   http.Handler
}

// New returns a server that does not listen yet.
func New(h Health, b Bootstrap, m *telemetry.Metrics, log *slog.Logger) *Server {
	s := &Server{health: h, bootstrap: b, metrics: m, log: log, started: time.Now()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.index)
	mux.HandleFunc("GET /health", s.live)
	mux.HandleFunc("GET /health/deep", s.deep)
	mux.HandleFunc("GET /ready", s.ready)
	mux.HandleFunc("GET /info", s.info)
	mux.Handle("GET /metrics", m.Handler())
	// Probes and scrapes come every few seconds: their traces are noise.
	s.handler = otelhttp.NewHandler(s.observed(mux), "http", otelhttp.WithFilter(func(r *http.Request) bool {
		return r.URL.Path == "/health/deep" || r.URL.Path == "/info"
	}))
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Listen opens the port. The error is one line that says what to do.
func Listen(port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("RAYMOND_PORT: cannot listen on %d: %w: free it or set another one", port, err)
	}
	return l, nil
}

// Serve answers on l until ctx ends; then it takes no new connections, lets
// requests under way end, for 5 s at most, and returns.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.stopping.Store(true)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := srv.Shutdown(drain); err != nil {
		s.log.Warn("requests under way were cut off", "after", drainTime.String())
		return errors.Join(srv.Close(), ignoreDeadline(err))
	}
	return nil
}

func ignoreDeadline(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}
