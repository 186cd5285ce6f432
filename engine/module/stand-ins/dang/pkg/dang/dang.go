// Package dang refuses to run programs in the Dang language.
//
// It stands in for github.com/vito/dang, an interpreter that not every Go module
// proxy serves, so that Dagger's core/sdk/dang compiles. Whatever
// would run or look at a Dang program returns ErrAbsent; the types have only
// what Dagger's code mentions, taken from there.
package dang

import (
	"context"
	"errors"

	"github.com/vito/dang/pkg/introspection"
)

// ErrAbsent is what every operation returns.
var ErrAbsent = errors.New("the Dang SDK is not part of this build")

// RunDir would run the program in a directory.
func RunDir(ctx context.Context, dir string, debug bool) (ValueScope, error) {
	return nil, ErrAbsent
}

// DeclareDir would find the declarations of the program in a directory.
func DeclareDir(ctx context.Context, dir string, debug bool) (ValueScope, error) {
	return nil, ErrAbsent
}

// EvalNode would evaluate a piece of a program.
func EvalNode(ctx context.Context, scope ValueScope, node Node) (Value, error) {
	return nil, ErrAbsent
}

// EvaluateFormsWithPhases would evaluate several, in the order they need.
func EvaluateFormsWithPhases(ctx context.Context, forms []Node, scope ValueScope) (Value, error) {
	return nil, ErrAbsent
}

// ImportConfig names an API for programs to import.
type ImportConfig struct {
	Name       string
	Client     any
	Schema     *introspection.Schema
	AutoImport bool
}

// ContextWithImportConfigs would offer APIs to programs.
func ContextWithImportConfigs(ctx context.Context, configs ...ImportConfig) context.Context {
	return ctx
}
