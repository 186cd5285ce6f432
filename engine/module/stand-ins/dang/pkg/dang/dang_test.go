package dang

import (
	"context"
	"errors"
	"testing"
)

// Whatever would run a program must say that it cannot, and never answer as if it had.
func TestEverythingThatRunsIsAbsent(t *testing.T) {
	ctx := context.Background()
	for name, run := range map[string]func() error{
		"RunDir":     func() error { _, err := RunDir(ctx, ".", false); return err },
		"DeclareDir": func() error { _, err := DeclareDir(ctx, ".", false); return err },
		"EvalNode":   func() error { _, err := EvalNode(ctx, nil, nil); return err },
		"EvaluateFormsWithPhases": func() error {
			_, err := EvaluateFormsWithPhases(ctx, nil, nil)
			return err
		},
		"FunCall.Eval":             func() error { _, err := (&FunCall{}).Eval(ctx, nil); return err },
		"Object.Lookup":            func() error { _, _, err := NewObject(nil).Lookup(ctx, "x"); return err },
		"ConstructorFunction.Call": func() error { _, err := (&ConstructorFunction{}).Call(ctx, nil, nil); return err },
	} {
		if err := run(); !errors.Is(err, ErrAbsent) {
			t.Errorf("%s: %v, not ErrAbsent", name, err)
		}
	}
}
