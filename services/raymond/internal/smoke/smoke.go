// Package smoke exercises each service for what it is for, by its own
// protocol, and removes what it creates.
package smoke

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/arc-framework/arc/services/raymond/internal/config"
	"github.com/arc-framework/arc/services/raymond/internal/deps"
	"github.com/arc-framework/arc/services/raymond/internal/health"
	"github.com/arc-framework/arc/services/raymond/internal/redact"
	"github.com/arc-framework/arc/services/raymond/internal/telemetry"
)

// CheckTimeout is how long one check may take.
const CheckTimeout = 10 * time.Second

// cleanTimeout is how long the removal of what a service's checks created may
// take.
const cleanTimeout = 5 * time.Second

// Check is the outcome of one check.
type Check struct {
	Service string  `json:"service"`
	Check   string  `json:"check"`
	OK      bool    `json:"ok"`
	MS      float64 `json:"ms"`
	Message string  `json:"message"`
}

// Report is the outcome of all.
type Report struct {
	OK     bool    `json:"ok"`
	Checks []Check `json:"checks"`
}

// step is one check of a suite; it returns what was seen.
type step struct {
	name string
	run  func(ctx context.Context) (string, error)
}

// suite is the checks of one service, run one after the other. When the first
// one, which connects, fails, the others are reported as failed too. clean
// removes what they made; it is called in any case.
type suite struct {
	service string
	steps   []step
	clean   func(ctx context.Context) error
}

// Runner exercises the configured services.
type Runner struct {
	suites   []suite
	redactor *redact.Redactor
}

// variables tells what to set to configure a service.
var variables = map[string]string{
	deps.Oracle: "RAYMOND_POSTGRES_HOST", deps.Sonic: "RAYMOND_REDIS_ADDR", deps.Flash: "RAYMOND_NATS_URL",
	deps.Raymond: "RAYMOND_URL", deps.Sherlock: "RAYMOND_SHERLOCK_URL",
}

// New prepares the suites of the configured services, or of those named in
// only. The error is one line about a name that is unknown or not configured.
func New(cfg *config.Config, only []string, r *redact.Redactor, log *slog.Logger) (*Runner, error) {
	id := strings.ToLower(rand.Text())[:12]
	var suites []suite
	if cfg.Postgres != nil {
		suites = append(suites, oracleSuite(cfg.Postgres))
	}
	if cfg.Redis != nil {
		suites = append(suites, sonicSuite(cfg.Redis, id, log))
	}
	if cfg.NATS != nil {
		suites = append(suites, flashSuite(deps.NewNATS(cfg.NATS, log), id))
	}
	suites = append(suites, raymondSuite(cfg.SelfURL))
	if cfg.SherlockURL != "" {
		var flash *deps.NATS
		if cfg.NATS != nil {
			flash = deps.NewNATS(cfg.NATS, log)
		}
		suites = append(suites, sherlockSuite(cfg.SherlockURL, flash, id))
	}
	suites, err := pick(suites, only)
	return &Runner{suites: suites, redactor: r}, err
}

func pick(suites []suite, only []string) ([]suite, error) {
	if len(only) == 0 {
		return suites, nil
	}
	for _, name := range only {
		variable, known := variables[name]
		if !known {
			return nil, fmt.Errorf("--only: no service %q: name some of oracle, sonic, flash, raymond, sherlock", name)
		}
		if !slices.ContainsFunc(suites, func(s suite) bool { return s.service == name }) {
			return nil, fmt.Errorf("--only: %s is not configured: set %s", name, variable)
		}
	}
	return slices.DeleteFunc(suites, func(s suite) bool { return !slices.Contains(only, s.service) }), nil
}

// Run exercises all services at once.
func (r *Runner) Run(ctx context.Context) Report {
	results := make([][]Check, len(r.suites))
	var wg sync.WaitGroup
	for i, s := range r.suites {
		wg.Go(func() { results[i] = r.runSuite(ctx, s) })
	}
	wg.Wait()
	report := Report{OK: true, Checks: slices.Concat(results...)}
	for _, c := range report.Checks {
		report.OK = report.OK && c.OK
	}
	return report
}

func (r *Runner) runSuite(ctx context.Context, s suite) []Check {
	checks := make([]Check, 0, len(s.steps)+1)
	for i, st := range s.steps {
		if i > 0 && !checks[0].OK {
			checks = append(checks, Check{Service: s.service, Check: st.name, Message: "not run, since " + checks[0].Check + " failed"})
			continue
		}
		checks = append(checks, r.runStep(ctx, s.service, st))
	}
	if s.clean == nil {
		return checks
	}
	// Also after an interruption.
	cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTimeout)
	defer cancel()
	start := time.Now()
	if err := s.clean(cleaning); err != nil {
		checks = append(checks, Check{Service: s.service, Check: "clean up", MS: health.Millis(time.Since(start)), Message: r.redactor.Error(err)})
	}
	return checks
}

func (r *Runner) runStep(ctx context.Context, service string, st step) Check {
	ctx, cancel := context.WithTimeoutCause(ctx, CheckTimeout, fmt.Errorf("no result within %s", CheckTimeout))
	defer cancel()
	var message string
	start := time.Now()
	err := telemetry.InSpan(ctx, "smoke "+service+" "+st.name, func(ctx context.Context) error {
		var err error
		message, err = st.run(ctx)
		return err
	})
	check := Check{Service: service, Check: st.name, OK: err == nil, MS: health.Millis(time.Since(start)), Message: r.redactor.Line(message)}
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
		check.Message = r.redactor.Error(err)
	}
	return check
}
