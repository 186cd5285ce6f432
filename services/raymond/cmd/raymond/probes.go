package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/arc-framework/arc/services/raymond/internal/deps"
	"github.com/arc-framework/arc/services/raymond/internal/health"
	"github.com/arc-framework/arc/services/raymond/internal/smoke"
	"github.com/arc-framework/arc/services/raymond/internal/telemetry"
)

// options of smoke and health.
type options struct {
	json bool
	only []string
}

func parse(name string, args []string) (options, error) {
	var o options
	var only string
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error is reported once, as one line
	flags.BoolVar(&o.json, "json", false, "")
	flags.StringVar(&only, "only", "", "")
	if err := flags.Parse(args); err != nil {
		return o, usageError{fmt.Errorf("%s: %w", name, err)}
	}
	if flags.NArg() > 0 {
		return o, usageError{fmt.Errorf("%s: unexpected %q: only --json and --only a,b are known", name, flags.Arg(0))}
	}
	for part := range strings.SplitSeq(only, ",") {
		if part = strings.TrimSpace(part); part != "" {
			o.only = append(o.only, part)
		}
	}
	return o, nil
}

// quiet returns a logger for commands whose result is their output.
func (e *env) quiet() *slog.Logger {
	return telemetry.NewLogger(e.stderr, max(e.cfg.LogLevel, slog.LevelWarn), e.redactor)
}

func runSmoke(ctx context.Context, e *env, args []string) error {
	o, err := parse("smoke", args)
	if err != nil {
		return err
	}
	log := e.quiet()
	runner, err := smoke.New(e.cfg, o.only, e.redactor, log)
	if err != nil {
		return usageError{err}
	}
	flush, err := telemetry.StartTracing(ctx, e.cfg.OTLPEndpoint, log)
	if err != nil {
		return usageError{err}
	}
	report := runner.Run(ctx)
	end(flush)
	write := report.Table
	if o.json {
		write = report.JSON
	}
	if err := write(e.stdout); err != nil {
		return err
	}
	if !report.OK {
		return errUnhealthy
	}
	return nil
}

// status is one service in the answer of `raymond health`.
type status struct {
	Healthy bool    `json:"healthy"`
	Message string  `json:"message"`
	MS      float64 `json:"ms"`
}

type healthReport struct {
	OverallHealthy bool              `json:"overall_healthy"`
	Services       map[string]status `json:"services"`
	Timestamp      time.Time         `json:"timestamp"`
}

func runHealth(ctx context.Context, e *env, args []string) error {
	o, err := parse("health", args)
	if err != nil {
		return err
	}
	set, err := deps.New(e.cfg, e.quiet())
	if err != nil {
		return usageError{err}
	}
	defer set.Close()
	all := append(set.All(), deps.NewHTTP(deps.Raymond, e.cfg.SelfURL, true))
	if all, err = pick(all, o.only); err != nil {
		return usageError{err}
	}
	results := health.ProbeAll(ctx, all, e.redactor)
	report := healthReport{OverallHealthy: true, Services: make(map[string]status), Timestamp: time.Now().UTC()}
	for _, res := range results {
		report.OverallHealthy = report.OverallHealthy && res.Healthy
		report.Services[res.Service] = status{res.Healthy, res.Message, res.MS}
	}
	if err := report.write(e.stdout, results, o.json); err != nil {
		return err
	}
	if !report.OverallHealthy {
		return errUnhealthy
	}
	return nil
}

func pick(all []deps.Dependency, only []string) ([]deps.Dependency, error) {
	if len(only) == 0 {
		return all, nil
	}
	var names []string
	for _, d := range all {
		names = append(names, d.Name())
	}
	for _, name := range only {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("--only: %q is not configured: name some of %s", name, strings.Join(names, ", "))
		}
	}
	return slices.DeleteFunc(all, func(d deps.Dependency) bool { return !slices.Contains(only, d.Name()) }), nil
}

func (h healthReport) write(w io.Writer, results []health.Result, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(h)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "SERVICE\tHEALTHY\tMS\tMESSAGE")
	for _, r := range results {
		_, _ = fmt.Fprintf(t, "%s\t%t\t%.1f\t%s\n", r.Service, r.Healthy, r.MS, r.Message)
	}
	return t.Flush()
}

// end flushes traces, for 2 s at most.
func end(flush func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = flush(ctx) // reported by the error handler
}
