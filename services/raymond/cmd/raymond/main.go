// Command raymond provisions the platform, watches its services and exercises
// them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/arc-framework/arc/services/raymond/internal/buildinfo"
	"github.com/arc-framework/arc/services/raymond/internal/config"
	"github.com/arc-framework/arc/services/raymond/internal/redact"
)

// Exit codes.
const (
	exitOK    = 0
	exitFail  = 1 // something is unhealthy
	exitUsage = 2 // bad arguments or configuration
)

const usage = `raymond provisions the platform, watches its services and exercises them.

usage: raymond [command]

  serve                        answer HTTP on RAYMOND_PORT (the default)
  smoke [--json] [--only a,b]  exercise each configured service
  health [--json] [--only a,b] probe each configured service once
  version                      print the version

exit codes: 0 fine, 1 something failed, 2 bad arguments or configuration
`

// env is what a command gets from outside.
type env struct {
	cfg      *config.Config
	redactor *redact.Redactor
	stdout   io.Writer
	stderr   io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	// After the first signal the next one ends the process at once.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	os.Exit(code)
}

// run executes one command and returns the exit code.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	command := "serve"
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	commands := map[string]func(context.Context, *env, []string) error{
		"serve": serve, "smoke": runSmoke, "health": runHealth,
	}
	switch command {
	case "help", "-h", "-help", "--help":
		_, _ = io.WriteString(stdout, usage)
		return exitOK
	case "version", "-version", "--version":
		_, _ = fmt.Fprintln(stdout, buildinfo.Version)
		return exitOK
	}
	fn, ok := commands[command]
	if !ok {
		_, _ = fmt.Fprintf(stderr, "raymond: unknown command %q: use serve, smoke, health or version\n", command)
		return exitUsage
	}
	cfg, err := config.Load(environ)
	e := &env{cfg: cfg, redactor: redact.New(cfg.Secrets()...), stdout: stdout, stderr: stderr}
	if err == nil {
		err = fn(ctx, e, args)
	} else {
		err = usageError{err}
	}
	return e.exit(err)
}

// usageError is the fault of who called.
type usageError struct{ err error }

func (u usageError) Error() string { return u.err.Error() }
func (u usageError) Unwrap() error { return u.err }

// errUnhealthy has been reported in full already.
var errUnhealthy = errors.New("unhealthy")

func (e *env) exit(err error) int {
	var bad usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errUnhealthy):
		return exitFail
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(e.stdout, usage)
		return exitOK
	}
	_, _ = fmt.Fprintf(e.stderr, "raymond: %s\n", e.redactor.Error(err))
	if errors.As(err, &bad) {
		return exitUsage
	}
	return exitFail
}
