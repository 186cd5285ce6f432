// Package bootstrap provisions what the platform's services expect to find:
// streams, a schema, a marker. Everything is idempotent: a second run changes
// nothing.
package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/arc-framework/arc/services/raymond/internal/backoff"
	"github.com/arc-framework/arc/services/raymond/internal/redact"
	"github.com/arc-framework/arc/services/raymond/internal/telemetry"
)

// Item is a provisioned thing.
type Item struct {
	Service string `json:"service"`
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Detail  string `json:"detail,omitempty"`
	Action  Action `json:"action"`
}

// Action is what the last run did to an item.
type Action string

// Actions.
const (
	Created   Action = "created"
	Updated   Action = "updated"
	Unchanged Action = "unchanged"
)

// Step provisions something in one service. It is given the items of earlier
// stages.
type Step struct {
	Service string
	Name    string
	Run     func(ctx context.Context, earlier []Item) ([]Item, error)
}

// StepState is what is known of a step.
type StepState struct {
	Service  string `json:"service"`
	Name     string `json:"name"`
	Done     bool   `json:"done"`
	Attempts int    `json:"attempts"`
	Error    string `json:"error,omitempty"`
}

// Runner runs steps: those of a stage at once, a stage after the other.
type Runner struct {
	stages   [][]Step
	policy   backoff.Policy
	redactor *redact.Redactor
	metrics  *telemetry.Metrics
	log      *slog.Logger

	mu      sync.Mutex
	states  map[string]*StepState
	items   map[string][]Item // by step
	done    bool
	redoing map[string]bool // by service
}

// NewRunner returns a runner whose steps have not run.
func NewRunner(stages [][]Step, policy backoff.Policy, r *redact.Redactor, m *telemetry.Metrics, log *slog.Logger) *Runner {
	run := &Runner{stages: stages, policy: policy, redactor: r, metrics: m, log: log,
		states: make(map[string]*StepState), items: make(map[string][]Item), redoing: make(map[string]bool)}
	for _, s := range slices.Concat(stages...) {
		run.states[s.Name] = &StepState{Service: s.Service, Name: s.Name}
	}
	return run
}

// Run provisions everything, repeating failed steps until timeout. The error
// names every step that could not be done.
func (r *Runner) Run(ctx context.Context, timeout time.Duration) error {
	start := time.Now()
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for _, stage := range r.stages {
		if err := r.runAll(limited, stage); err != nil {
			return err
		}
	}
	r.mu.Lock()
	r.done = true
	r.mu.Unlock()
	r.metrics.BootstrapDone(true)
	r.log.Info("bootstrap done", "seconds", time.Since(start).Seconds(), "items", len(r.Items()))
	return nil
}

// Forget notes that what lies in service may be lost, so that Done is false
// until Redo has been called. It returns false, and Redo is not needed, while
// the first run or another Redo is under way.
func (r *Runner) Forget(service string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.done || r.redoing[service] {
		return false
	}
	for _, s := range r.states {
		if s.Service == service {
			s.Done = false
			r.redoing[service] = true
		}
	}
	return r.redoing[service]
}

// Redo provisions again what lies in a service that Forget was true for,
// repeating failed steps until ctx ends.
func (r *Runner) Redo(ctx context.Context, service string) error {
	defer func() {
		r.mu.Lock()
		delete(r.redoing, service)
		r.mu.Unlock()
	}()
	for _, stage := range r.stages {
		own := slices.DeleteFunc(slices.Clone(stage), func(s Step) bool { return s.Service != service })
		if err := r.runAll(ctx, own); err != nil {
			return err
		}
	}
	return nil
}

func (r *Runner) runAll(ctx context.Context, steps []Step) error {
	errs := make([]error, len(steps))
	var wg sync.WaitGroup
	for i, s := range steps {
		wg.Go(func() {
			if err := r.runStep(ctx, s); err != nil {
				errs[i] = fmt.Errorf("%s (%s): %w", s.Name, s.Service, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (r *Runner) runStep(ctx context.Context, s Step) error {
	attempt := func(ctx context.Context) error {
		return telemetry.InSpan(ctx, "bootstrap "+s.Name, func(ctx context.Context) error {
			// An attempt that hangs must not use up the time of the next ones.
			ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
			defer cancel()
			items, err := s.Run(ctx, r.Items())
			r.note(s, items, err)
			return err
		})
	}
	return r.policy.Retry(ctx, attempt, func(n int, err error, pause time.Duration) {
		r.log.Warn("bootstrap step failed", "step", s.Name, "dependency", s.Service, "attempt", n, "reason", r.redactor.Error(err), "retry_in", pause.String())
	})
}

func (r *Runner) note(s Step, items []Item, err error) {
	r.metrics.Attempted(s.Name, err)
	r.mu.Lock()
	state := r.states[s.Name]
	state.Attempts++
	state.Done, state.Error = err == nil, r.redactor.Error(err)
	if err == nil {
		r.items[s.Name] = items
	}
	r.mu.Unlock()
	for _, i := range items {
		r.log.Info("provisioned", "dependency", i.Service, "kind", i.Kind, "name", i.Name, "action", string(i.Action))
	}
}

// Done reports whether everything is provisioned.
func (r *Runner) Done() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.done {
		return false
	}
	for _, s := range r.states {
		if !s.Done {
			return false
		}
	}
	return true
}

// Steps returns the state of each step, in order.
func (r *Runner) Steps() []StepState {
	r.mu.Lock()
	defer r.mu.Unlock()
	states := make([]StepState, 0, len(r.states))
	for _, s := range slices.Concat(r.stages...) {
		states = append(states, *r.states[s.Name])
	}
	return states
}

// Items returns what is provisioned so far, in the order of the steps.
func (r *Runner) Items() []Item {
	r.mu.Lock()
	defer r.mu.Unlock()
	items := []Item{}
	for _, s := range slices.Concat(r.stages...) {
		items = append(items, r.items[s.Name]...)
	}
	return items
}
