// Package health knows which dependencies answer.
package health

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/arc-framework/arc/services/raymond/internal/deps"
	"github.com/arc-framework/arc/services/raymond/internal/redact"
	"github.com/arc-framework/arc/services/raymond/internal/telemetry"
)

// ProbeTimeout is how long one probe may take.
const ProbeTimeout = 3 * time.Second

// Result is the outcome of one probe.
type Result struct {
	Service  string    `json:"service"`
	Target   string    `json:"target"`
	Required bool      `json:"required"`
	Healthy  bool      `json:"healthy"`
	Message  string    `json:"message"`
	MS       float64   `json:"ms"`
	Since    time.Time `json:"since"` // when it became healthy or unhealthy
}

// Probe asks d once, within ProbeTimeout. Message is masked.
func Probe(ctx context.Context, d deps.Dependency, r *redact.Redactor) Result {
	ctx, cancel := context.WithTimeout(ctx, ProbeTimeout)
	defer cancel()
	start := time.Now()
	message, err := d.Ping(ctx)
	took := time.Since(start)
	res := Result{
		Service: d.Name(), Target: d.Target(), Required: d.Required(),
		Healthy: err == nil, Message: r.Line(message), MS: Millis(took), Since: start,
	}
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		res.Message = "no answer within " + ProbeTimeout.String()
	case err != nil:
		res.Message = r.Error(err)
	}
	return res
}

// ProbeAll asks all of them at once and returns the results in their order.
func ProbeAll(ctx context.Context, all []deps.Dependency, r *redact.Redactor) []Result {
	results := make([]Result, len(all))
	var wg sync.WaitGroup
	for i, d := range all {
		wg.Go(func() { results[i] = Probe(ctx, d, r) })
	}
	wg.Wait()
	return results
}

// Millis returns d in milliseconds with two decimals.
func Millis(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}

// Monitor probes dependencies again and again and remembers.
type Monitor struct {
	all      []deps.Dependency
	interval time.Duration
	redactor *redact.Redactor
	metrics  *telemetry.Metrics
	log      *slog.Logger
	returned func(service string)

	probing sync.Mutex // one round at a time
	round   time.Time  // when the last one began
	mu      sync.RWMutex
	last    map[string]Result
}

// NewMonitor returns a monitor that probes every interval. returned is called
// when a lost service answers again; it must not block.
func NewMonitor(all []deps.Dependency, interval time.Duration, r *redact.Redactor, m *telemetry.Metrics, log *slog.Logger, returned func(service string)) *Monitor {
	return &Monitor{all: all, interval: interval, redactor: r, metrics: m, log: log, returned: returned, last: make(map[string]Result)}
}

// Run probes until ctx ends.
func (m *Monitor) Run(ctx context.Context) {
	tick := time.NewTicker(m.interval)
	defer tick.Stop()
	for {
		m.Check(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Check probes all dependencies now and returns the results. Callers that
// wait for the same moment share one round.
func (m *Monitor) Check(ctx context.Context) []Result {
	asked := time.Now()
	m.probing.Lock()
	defer m.probing.Unlock()
	if m.round.After(asked) {
		return m.Snapshot()
	}
	m.round = time.Now()
	results := ProbeAll(ctx, m.all, m.redactor)
	if ctx.Err() != nil {
		return results // cut short: says nothing about the services
	}
	for i := range results {
		m.record(&results[i])
	}
	return results
}

func (m *Monitor) record(now *Result) {
	before, known := m.last[now.Service] // only written here, one at a time
	if known && before.Healthy == now.Healthy {
		now.Since = before.Since
	}
	m.metrics.Probed(now.Service, now.Healthy, time.Duration(now.MS*float64(time.Millisecond)))
	switch {
	case !known && now.Healthy:
		m.log.Info("dependency answers", "dependency", now.Service, "target", now.Target, "message", now.Message)
	case !known:
		m.log.Warn("dependency does not answer yet", "dependency", now.Service, "target", now.Target, "reason", now.Message)
	case before.Healthy && !now.Healthy:
		m.metrics.Changed(now.Service, false)
		m.log.Error("dependency lost", "dependency", now.Service, "target", now.Target, "reason", now.Message)
	case !before.Healthy && now.Healthy:
		m.metrics.Changed(now.Service, true)
		m.log.Info("dependency returned", "dependency", now.Service, "after", now.Since.Sub(before.Since).Round(time.Millisecond).String(), "message", now.Message)
		// Before anybody can see that it is healthy.
		m.returned(now.Service)
	}
	m.mu.Lock()
	m.last[now.Service] = *now
	m.mu.Unlock()
}

// Snapshot returns the last result of each dependency. One that was not
// probed yet is unhealthy.
func (m *Monitor) Snapshot() []Result {
	m.mu.RLock()
	defer m.mu.RUnlock()
	results := make([]Result, len(m.all))
	for i, d := range m.all {
		res, ok := m.last[d.Name()]
		if !ok {
			res = Result{Service: d.Name(), Target: d.Target(), Required: d.Required(), Message: "not probed yet"}
		}
		results[i] = res
	}
	return results
}
