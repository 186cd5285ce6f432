package health

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arc-framework/arc/services/raymond/internal/deps"
	"github.com/arc-framework/arc/services/raymond/internal/redact"
	"github.com/arc-framework/arc/services/raymond/internal/telemetry"
)

// service is a dependency that can be broken.
type service struct {
	name   string
	broken atomic.Bool
	hangs  bool
}

func (s *service) Name() string   { return s.name }
func (s *service) Target() string { return s.name + ":1" }
func (s *service) Required() bool { return true }
func (s *service) Close()         {}
func (s *service) Ping(ctx context.Context) (string, error) {
	if s.hangs {
		<-ctx.Done()
		return "", ctx.Err()
	}
	if s.broken.Load() {
		return "", errors.New("refused,\npassword was hunter2")
	}
	return "v1", nil
}

func newMonitor(log io.Writer, returned func(string), all ...deps.Dependency) (*Monitor, *telemetry.Metrics) {
	m := telemetry.NewMetrics()
	r := redact.New("hunter2")
	return NewMonitor(all, 5*time.Second, r, m, telemetry.NewLogger(log, slog.LevelInfo, r), returned), m
}

func TestMonitorNoticesLossAndReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var returned []string
		a, b := &service{name: "a"}, &service{name: "b"}
		m, metrics := newMonitor(&log, func(s string) { returned = append(returned, s) }, a, b)
		if got := m.Snapshot()[0]; got.Healthy || got.Message != "not probed yet" {
			t.Errorf("before the first probe: %+v", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go m.Run(ctx)
		synctest.Wait()
		if s := m.Snapshot(); !s[0].Healthy || !s[1].Healthy || s[0].Message != "v1" {
			t.Fatalf("healthy services: %+v", s)
		}

		a.broken.Store(true)
		time.Sleep(6 * time.Second)
		lost := m.Snapshot()
		if lost[0].Healthy || !lost[1].Healthy || lost[0].Message != "refused, password was [redacted]" {
			t.Fatalf("after the loss: %+v", lost)
		}
		time.Sleep(5 * time.Second)
		if s := m.Snapshot()[0]; !s.Since.Equal(lost[0].Since) {
			t.Errorf("Since moved while the state did not: %s, %s", lost[0].Since, s.Since)
		}
		if len(returned) != 0 {
			t.Errorf("returned too early: %v", returned)
		}

		a.broken.Store(false)
		time.Sleep(5 * time.Second)
		if !m.Snapshot()[0].Healthy || len(returned) != 1 || returned[0] != "a" {
			t.Errorf("after the return: %+v %v", m.Snapshot(), returned)
		}
		cancel()
		synctest.Wait()

		if n := strings.Count(log.String(), "dependency lost"); n != 1 {
			t.Errorf("%d times lost in the log: %s", n, log.String())
		}
		if !strings.Contains(log.String(), `"dependency returned"`) || strings.Contains(log.String(), "hunter2") {
			t.Errorf("log: %s", log.String())
		}
		rec := httptest.NewRecorder()
		metrics.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
		for _, want := range []string{`raymond_dependency_up{dependency="a"} 1`, `raymond_dependency_transitions_total{dependency="a",to="down"} 1`} {
			if !strings.Contains(rec.Body.String(), want) {
				t.Errorf("metrics lack %s", want)
			}
		}
	})
}

func TestProbeIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		got := ProbeAll(t.Context(), []deps.Dependency{&service{name: "a", hangs: true}, &service{name: "b"}, &service{name: "c", hangs: true}}, redact.New())
		if took := time.Since(start); took != ProbeTimeout {
			t.Errorf("took %s, want %s for all together", took, ProbeTimeout)
		}
		if got[0].Healthy || !got[1].Healthy || got[2].Healthy || got[0].MS != 3000 || got[0].Message != "no answer within 3s" {
			t.Errorf("results %+v", got)
		}
	})
}

func TestACheckCutShortIsForgotten(t *testing.T) {
	m, _ := newMonitor(io.Discard, func(string) {}, &service{name: "a", hangs: true})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m.Check(ctx)
	if got := m.Snapshot()[0].Message; got != "not probed yet" {
		t.Errorf("remembered %q", got)
	}
}
