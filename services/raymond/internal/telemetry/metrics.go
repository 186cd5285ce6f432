package telemetry

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/arc-framework/arc/services/raymond/internal/buildinfo"
)

// Metrics is everything raymond counts, in a registry of its own.
type Metrics struct {
	registry    *prometheus.Registry
	up          *prometheus.GaugeVec
	probe       *prometheus.HistogramVec
	transitions *prometheus.CounterVec
	bootstrap   prometheus.Gauge
	attempts    *prometheus.CounterVec
	requests    *prometheus.CounterVec
	latency     *prometheus.HistogramVec
}

// NewMetrics returns metrics at zero.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "raymond_dependency_up", Help: "1 if the service answered its last probe."}, []string{"dependency"}),
		probe: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "raymond_dependency_probe_seconds", Help: "Time of probes.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .5, 1, 3}}, []string{"dependency"}),
		transitions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "raymond_dependency_transitions_total", Help: "Times the service was lost or returned."}, []string{"dependency", "to"}),
		bootstrap: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "raymond_bootstrap_done", Help: "1 once everything is provisioned."}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "raymond_bootstrap_attempts_total", Help: "Attempts of bootstrap steps."}, []string{"step", "result"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "raymond_http_requests_total", Help: "HTTP requests."}, []string{"route", "code"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "raymond_http_request_seconds", Help: "Time of HTTP requests.",
			Buckets: prometheus.DefBuckets}, []string{"route"}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "raymond_build_info", Help: "Always 1.",
		ConstLabels: prometheus.Labels{"version": buildinfo.Version, "go": buildinfo.Get().Go}})
	info.Set(1)
	m.registry.MustRegister(info, m.up, m.probe, m.transitions, m.bootstrap, m.attempts, m.requests, m.latency,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics in the Prometheus formats.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Probed records a probe of a dependency.
func (m *Metrics) Probed(dependency string, healthy bool, took time.Duration) {
	m.up.WithLabelValues(dependency).Set(number(healthy))
	m.probe.WithLabelValues(dependency).Observe(took.Seconds())
}

// Changed records that a dependency was lost or has returned.
func (m *Metrics) Changed(dependency string, healthy bool) {
	to := "down"
	if healthy {
		to = "up"
	}
	m.transitions.WithLabelValues(dependency, to).Inc()
}

// BootstrapDone records whether everything is provisioned.
func (m *Metrics) BootstrapDone(done bool) { m.bootstrap.Set(number(done)) }

// Attempted records an attempt of a bootstrap step.
func (m *Metrics) Attempted(step string, err error) {
	result := "ok"
	if err != nil {
		result = "error"
	}
	m.attempts.WithLabelValues(step, result).Inc()
}

// Served records an HTTP request.
func (m *Metrics) Served(route, code string, took time.Duration) {
	m.requests.WithLabelValues(route, code).Inc()
	m.latency.WithLabelValues(route).Observe(took.Seconds())
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
