package deps

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/arc-framework/arc/services/raymond/internal/config"
)

// closedPort returns an address at which nobody listens.
func closedPort(t *testing.T) (address string, port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), l.Addr().(*net.TCPAddr).Port
}

func TestEveryClientTellsWhyItFails(t *testing.T) {
	address, port := closedPort(t)
	set, err := New(&config.Config{
		Postgres:    &config.Postgres{Host: "127.0.0.1", Port: port, User: "arc", Database: "it's \\ odd", SSLMode: "prefer", Password: "hunter2"},
		Redis:       &config.Redis{Addr: address, Password: "hunter2"},
		NATS:        &config.NATS{URL: "nats://" + address, User: "arc", Password: "hunter2"},
		SherlockURL: "http://" + address,
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if len(set.All()) != 4 {
		t.Fatalf("%d clients", len(set.All()))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for _, d := range set.All() {
		_, err := d.Ping(ctx)
		if err == nil || strings.Count(err.Error(), "connection refused") != 1 {
			t.Errorf("%s: %v, want one connection refused", d.Name(), err)
		}
		if got := d.Target() + err.Error(); strings.Contains(got, "hunter2") {
			t.Errorf("%s shows the password: %s", d.Name(), got)
		}
		if d.Required() == (d.Name() == Sherlock) {
			t.Errorf("%s: required is %t", d.Name(), d.Required())
		}
	}
}

func TestNothingConfigured(t *testing.T) {
	set, err := New(&config.Config{}, slog.New(slog.DiscardHandler))
	if err != nil || len(set.All()) != 0 {
		t.Errorf("%v, %v", set.All(), err)
	}
}

func TestAKeptConnectionComesUpLater(t *testing.T) {
	address, _ := closedPort(t)
	n := NewNATS(&config.NATS{URL: "nats://" + address, User: "arc", Password: "x"}, slog.New(slog.DiscardHandler))
	n.Start()
	defer n.Close()
	deadline := time.Now().Add(5 * time.Second)
	for {
		_, err := n.Ping(t.Context())
		if err != nil && strings.Contains(err.Error(), "connection refused") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the reason never shows: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestHTTP(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			_, _ = w.Write([]byte("fine"))
			return
		}
		http.Error(w, strings.Repeat("long reason ", 100), http.StatusServiceUnavailable)
	}))
	defer srv.Close()
	h := NewHTTP(Sherlock, srv.URL, false)
	defer h.Close()
	if got, err := h.Ping(t.Context()); err != nil || got != "GET /health 200" {
		t.Errorf("Ping: %q, %v", got, err)
	}
	_, err := h.Do(t.Context(), http.MethodGet, "/ready", nil)
	if err == nil || !strings.Contains(err.Error(), "GET /ready: 503 Service Unavailable: long reason") || len(err.Error()) > 300 {
		t.Errorf("Do: %v", err)
	}
}
