package backoff

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestDelay(t *testing.T) {
	tests := []struct {
		attempt int
		want    time.Duration
	}{
		{1, 2 * time.Second}, {2, 4 * time.Second}, {3, 8 * time.Second},
		{4, 16 * time.Second}, {5, 30 * time.Second}, {6, 30 * time.Second}, {5000, 30 * time.Second},
	}
	for _, tt := range tests {
		if got := Default.Delay(tt.attempt); got != tt.want {
			t.Errorf("Delay(%d) = %s, want %s", tt.attempt, got, tt.want)
		}
	}
}

func TestRetrySucceedsAfterFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, calls := time.Now(), 0
		var pauses []time.Duration
		err := Default.Retry(t.Context(), func(context.Context) error {
			if calls++; calls < 4 {
				return errors.New("not yet")
			}
			return nil
		}, func(_ int, _ error, pause time.Duration) { pauses = append(pauses, pause) })
		if err != nil || calls != 4 {
			t.Fatalf("err %v after %d calls", err, calls)
		}
		if got := time.Since(start); got != 14*time.Second {
			t.Errorf("took %s, want 2+4+8 s", got)
		}
		if len(pauses) != 3 || pauses[2] != 8*time.Second {
			t.Errorf("pauses %v", pauses)
		}
	})
}

func TestRetryIsLimitedByTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start, cause := time.Now(), errors.New("refused")
		err := Default.Retry(ctx, func(context.Context) error { return cause }, nil)
		if !errors.Is(err, cause) || !strings.Contains(err.Error(), "after 2 attempts") {
			t.Errorf("err %v", err)
		}
		if got := time.Since(start); got != 5*time.Second {
			t.Errorf("took %s", got)
		}
	})
}

func TestRetryStopsAtAPermanentError(t *testing.T) {
	calls, cause := 0, errors.New("changed migration")
	err := Default.Retry(t.Context(), func(context.Context) error {
		calls++
		return Permanent(cause)
	}, nil)
	if calls != 1 || !errors.Is(err, cause) || !IsPermanent(err) {
		t.Errorf("err %v after %d calls", err, calls)
	}
	if Permanent(nil) != nil || IsPermanent(cause) {
		t.Error("Permanent(nil) or IsPermanent is wrong")
	}
}
