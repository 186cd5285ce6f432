package bootstrap

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/arc-framework/arc/services/raymond/internal/backoff"
	"github.com/arc-framework/arc/services/raymond/internal/redact"
	"github.com/arc-framework/arc/services/raymond/internal/telemetry"
)

func newRunner(stages ...[]Step) *Runner {
	r := redact.New("hunter2")
	return NewRunner(stages, backoff.Default, r, telemetry.NewMetrics(), telemetry.NewLogger(io.Discard, slog.LevelInfo, r))
}

// step fails the given number of times, then provisions an item.
func step(service, name string, failures int32, calls *atomic.Int32) Step {
	return Step{service, name, func(context.Context, []Item) ([]Item, error) {
		if calls.Add(1) <= failures {
			return nil, errors.New("auth hunter2")
		}
		return []Item{{Service: service, Kind: "thing", Name: name, Action: Created}}, nil
	}}
}

func TestRunRetriesAndKeepsTheOrderOfStages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a, b, last atomic.Int32
		var seen []Item
		r := newRunner(
			[]Step{step("oracle", "a", 2, &a), step("flash", "b", 0, &b)},
			[]Step{{"sonic", "last", func(_ context.Context, earlier []Item) ([]Item, error) {
				last.Add(1)
				seen = earlier
				return nil, nil
			}}},
		)
		start := time.Now()
		done := make(chan error, 1)
		go func() { done <- r.Run(t.Context(), time.Minute) }()
		synctest.Wait()
		if s := r.Steps()[0]; s.Done || s.Attempts != 1 || s.Error != "auth [redacted]" || r.Done() || last.Load() != 0 {
			t.Errorf("while waiting: %+v", s)
		}
		if err := <-done; err != nil || time.Since(start) != 6*time.Second {
			t.Fatalf("err %v after %s, want 2+4 s", err, time.Since(start))
		}
		if !r.Done() || a.Load() != 3 || b.Load() != 1 || last.Load() != 1 {
			t.Errorf("calls %d %d %d", a.Load(), b.Load(), last.Load())
		}
		if len(seen) != 2 || seen[0].Name != "a" || seen[1].Name != "b" {
			t.Errorf("the last stage saw %+v", seen)
		}
	})
}

func TestRunNamesEveryStepThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a, b, c atomic.Int32
		r := newRunner([]Step{step("oracle", "a", 1000, &a), step("flash", "b", 1000, &b), step("sonic", "c", 0, &c)})
		start := time.Now()
		err := r.Run(t.Context(), 5*time.Minute)
		if err == nil || time.Since(start) != 5*time.Minute {
			t.Fatalf("err %v after %s", err, time.Since(start))
		}
		for _, want := range []string{"a (oracle): gave up after", "b (flash): gave up after"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("error lacks %q: %v", want, err)
			}
		}
		if r.Done() || strings.Contains(err.Error(), "c (sonic)") {
			t.Errorf("done %t, err %v", r.Done(), err)
		}
	})
}

func TestAnAttemptThatHangsIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		r := newRunner([]Step{{"oracle", "a", func(ctx context.Context, _ []Item) ([]Item, error) {
			if calls++; calls == 1 {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return nil, nil
		}}})
		if err := r.Run(t.Context(), 5*time.Minute); err != nil || calls != 2 {
			t.Errorf("err %v after %d calls", err, calls)
		}
	})
}

func TestRedo(t *testing.T) {
	var a, b atomic.Int32
	r := newRunner([]Step{step("oracle", "a", 0, &a), step("flash", "b", 0, &b)})
	if r.Forget("flash") {
		t.Fatal("forgotten before the first run")
	}
	if err := r.Run(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if !r.Forget("flash") || r.Forget("flash") || r.Done() || r.Forget("sherlock") {
		t.Error("Forget is not true once, or not noticed, or true for a service without steps")
	}
	if err := r.Redo(t.Context(), "flash"); err != nil || a.Load() != 1 || b.Load() != 2 || !r.Done() {
		t.Errorf("after: %v, %d and %d calls, done %t", err, a.Load(), b.Load(), r.Done())
	}
}

func TestRedoIsNotDoneUntilItSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var away atomic.Bool
		r := newRunner([]Step{{"flash", "b", func(context.Context, []Item) ([]Item, error) {
			if away.Load() {
				return nil, errors.New("away")
			}
			return nil, nil
		}}})
		if err := r.Run(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		away.Store(true)
		if !r.Forget("flash") {
			t.Fatal("not forgotten")
		}
		go func() { _ = r.Redo(t.Context(), "flash") }()
		synctest.Wait()
		if r.Done() {
			t.Error("done while provisioning again fails")
		}
		away.Store(false)
		time.Sleep(3 * time.Second)
		if !r.Done() {
			t.Error("not done after provisioning again")
		}
	})
}
