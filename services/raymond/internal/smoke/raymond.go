package smoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/arc-framework/arc/services/raymond/internal/deps"
)

// raymond asks the running `raymond serve`.
type raymond struct{ http *deps.HTTP }

func raymondSuite(url string) suite {
	r := &raymond{deps.NewHTTP(deps.Raymond, url, true)}
	return suite{deps.Raymond, []step{
		{"health", r.health},
		{"ready", r.ready},
		{"metrics", r.metrics},
	}, func(context.Context) error { r.http.Close(); return nil }}
}

func (r *raymond) health(ctx context.Context) (string, error) {
	body, err := r.http.Do(ctx, http.MethodGet, "/health", nil)
	if err != nil {
		return "", err
	}
	var answer struct{ Status, Service, Version string }
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", fmt.Errorf("GET /health: %w", err)
	}
	if answer.Status != "ok" || answer.Service != "raymond" {
		return "", fmt.Errorf("GET /health: status %q of service %q", answer.Status, answer.Service)
	}
	return "raymond " + answer.Version, nil
}

func (r *raymond) ready(ctx context.Context) (string, error) {
	return "bootstrap is done, dependencies answer", awaitReady(ctx, r.http)
}

// awaitReady asks GET /ready until it gives 200, with some patience: the
// service may have been started a moment ago. The error is its last answer.
func awaitReady(ctx context.Context, service *deps.HTTP) error {
	const patience, pause = CheckTimeout - 2*time.Second, 250 * time.Millisecond
	start := time.Now()
	for {
		_, err := service.Do(ctx, http.MethodGet, "/ready", nil)
		if err == nil || time.Since(start)+pause > patience {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(pause):
		}
	}
}

func (r *raymond) metrics(ctx context.Context) (string, error) {
	body, err := r.http.Do(ctx, http.MethodGet, "/metrics", nil)
	if err != nil {
		return "", err
	}
	text := string(body)
	for _, want := range []string{"raymond_build_info{", "raymond_bootstrap_done 1", "process_resident_memory_bytes "} {
		if !strings.Contains(text, "\n"+want) {
			return "", fmt.Errorf("GET /metrics: no sample %s", want)
		}
	}
	up := strings.Count(text, "\nraymond_dependency_up{")
	return fmt.Sprintf("%d dependencies in the metrics", up), nil
}
