// Package backoff repeats what may succeed later.
package backoff

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Policy is the pause between attempts: First, then Factor times the previous
// one, never more than Max.
type Policy struct {
	First  time.Duration
	Factor float64
	Max    time.Duration
}

// Default is 2 s, 4 s, 8 s, 16 s, then 30 s.
var Default = Policy{First: 2 * time.Second, Factor: 2, Max: 30 * time.Second}

// Delay returns the pause after the given failed attempt, counted from 1.
func (p Policy) Delay(attempt int) time.Duration {
	d := float64(p.First)
	for range attempt - 1 {
		d *= p.Factor
		if d >= float64(p.Max) {
			return p.Max
		}
	}
	return min(time.Duration(d), p.Max)
}

type permanentError struct{ err error }

func (e permanentError) Error() string { return e.err.Error() }
func (e permanentError) Unwrap() error { return e.err }

// Permanent marks an error that no repetition can cure.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanentError{err}
}

// IsPermanent reports whether err was marked with Permanent.
func IsPermanent(err error) bool {
	var p permanentError
	return errors.As(err, &p)
}

// Retry calls fn until it returns nil, a permanent error, or ctx ends. failed,
// if not nil, hears of each failure and of the pause that follows.
// The error names the number of attempts and the last failure.
func (p Policy) Retry(ctx context.Context, fn func(context.Context) error, failed func(attempt int, err error, pause time.Duration)) error {
	for attempt := 1; ; attempt++ {
		err := fn(ctx)
		if err == nil {
			return nil
		}
		if IsPermanent(err) {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("gave up after %d attempts: %w", attempt, err)
		}
		pause := p.Delay(attempt)
		if failed != nil {
			failed(attempt, err, pause)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("gave up after %d attempts: %w", attempt, err)
		case <-time.After(pause):
		}
	}
}
