package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/arc-framework/arc/services/raymond/internal/bootstrap"
	"github.com/arc-framework/arc/services/raymond/internal/buildinfo"
	"github.com/arc-framework/arc/services/raymond/internal/health"
)

// States in answers.
const (
	healthy   = "healthy"
	degraded  = "degraded" // something that raymond does not need is away
	unhealthy = "unhealthy"
)

type indexAnswer struct {
	Service   string   `json:"service"`
	Version   string   `json:"version"`
	Endpoints []string `json:"endpoints"`
}

type liveAnswer struct {
	Status  string `json:"status"`
	Service string `json:"service"`
	Version string `json:"version"`
}

type deepAnswer struct {
	Status       string          `json:"status"`
	Dependencies []health.Result `json:"dependencies"`
}

type readyAnswer struct {
	Ready     bool                  `json:"ready"`
	Reasons   []string              `json:"reasons"`
	Bootstrap []bootstrap.StepState `json:"bootstrap"`
}

type infoAnswer struct {
	Service       string           `json:"service"`
	Role          string           `json:"role"`
	Version       string           `json:"version"`
	Build         buildinfo.Info   `json:"build"`
	StartedAt     time.Time        `json:"started_at"`
	UptimeSeconds float64          `json:"uptime_seconds"`
	Dependencies  []health.Result  `json:"dependencies"`
	Provisioned   []bootstrap.Item `json:"provisioned"`
}

func (s *Server) index(w http.ResponseWriter, _ *http.Request) {
	s.write(w, http.StatusOK, indexAnswer{"raymond", buildinfo.Version,
		[]string{"/health", "/health/deep", "/ready", "/metrics", "/info"}})
}

// live says that the process answers; it asks nobody else, since a restart
// would not bring another service back.
func (s *Server) live(w http.ResponseWriter, _ *http.Request) {
	s.write(w, http.StatusOK, liveAnswer{"ok", "raymond", buildinfo.Version})
}

// deep probes every dependency now.
func (s *Server) deep(w http.ResponseWriter, r *http.Request) {
	answer, code := deepAnswer{healthy, s.health.Check(r.Context())}, http.StatusOK
	for _, d := range answer.Dependencies {
		switch {
		case d.Healthy:
		case d.Required:
			answer.Status, code = unhealthy, http.StatusServiceUnavailable
		case answer.Status == healthy:
			answer.Status = degraded
		}
	}
	s.write(w, code, answer)
}

// ready tells whether raymond can do its work, from the last round of probes.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	answer := readyAnswer{Reasons: []string{}, Bootstrap: s.bootstrap.Steps()}
	if s.stopping.Load() {
		answer.Reasons = append(answer.Reasons, "stopping")
	}
	if !s.bootstrap.Done() {
		answer.Reasons = append(answer.Reasons, bootstrapReasons(answer.Bootstrap)...)
	}
	for _, d := range s.health.Snapshot() {
		if d.Required && !d.Healthy {
			answer.Reasons = append(answer.Reasons, fmt.Sprintf("%s does not answer: %s", d.Service, d.Message))
		}
	}
	code := http.StatusOK
	if answer.Ready = len(answer.Reasons) == 0; !answer.Ready {
		code = http.StatusServiceUnavailable
	}
	s.write(w, code, answer)
}

func bootstrapReasons(steps []bootstrap.StepState) []string {
	reasons := []string{"bootstrap is not done"}
	for _, step := range steps {
		if !step.Done && step.Error != "" {
			reasons = append(reasons, fmt.Sprintf("bootstrap step %s (%s): %s", step.Name, step.Service, step.Error))
		}
	}
	return reasons
}

func (s *Server) info(w http.ResponseWriter, _ *http.Request) {
	s.write(w, http.StatusOK, infoAnswer{
		Service: "raymond", Role: "utility", Version: buildinfo.Version, Build: buildinfo.Get(),
		StartedAt: s.started.UTC(), UptimeSeconds: time.Since(s.started).Round(time.Millisecond).Seconds(),
		Dependencies: s.health.Snapshot(), Provisioned: s.bootstrap.Items(),
	})
}

func (s *Server) write(w http.ResponseWriter, code int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		s.log.Debug("answer not written", "err", err)
	}
}
