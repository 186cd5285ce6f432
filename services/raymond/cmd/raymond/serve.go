package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/arc-framework/arc/services/raymond/internal/backoff"
	"github.com/arc-framework/arc/services/raymond/internal/bootstrap"
	"github.com/arc-framework/arc/services/raymond/internal/deps"
	"github.com/arc-framework/arc/services/raymond/internal/health"
	"github.com/arc-framework/arc/services/raymond/internal/server"
	"github.com/arc-framework/arc/services/raymond/internal/telemetry"
)

// closeTime bounds the closing of connections after the HTTP server has
// drained; with both, a stop takes less than 10 s.
const closeTime = 2 * time.Second

func serve(ctx context.Context, e *env, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("serve: unexpected %q: it takes no arguments", args[0])}
	}
	log := telemetry.NewLogger(e.stdout, e.cfg.LogLevel, e.redactor)
	for _, name := range e.cfg.Unknown {
		log.Warn("variable is not known and has no effect", "name", name)
	}
	flush, err := telemetry.StartTracing(ctx, e.cfg.OTLPEndpoint, log)
	if err != nil {
		return usageError{err}
	}
	defer end(flush)
	set, err := deps.New(e.cfg, log)
	if err != nil {
		return usageError{err}
	}
	listener, err := server.Listen(e.cfg.Port)
	if err != nil {
		return usageError{err}
	}
	if set.Flash != nil {
		set.Flash.Start()
	}

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	metrics := telemetry.NewMetrics()
	boot := bootstrap.NewRunner(bootstrap.Stages(set), backoff.Default, e.redactor, metrics, log)
	var background sync.WaitGroup
	monitor := health.NewMonitor(set.All(), e.cfg.HealthInterval, e.redactor, metrics, log, func(service string) {
		if boot.Forget(service) {
			background.Go(func() { redo(ctx, boot, service, log) })
		}
	})
	background.Go(func() { monitor.Run(ctx) })
	background.Go(func() {
		if err := boot.Run(ctx, e.cfg.BootstrapTimeout); err != nil && ctx.Err() == nil {
			cancel(fmt.Errorf("bootstrap: %w", err))
		}
	})

	log.Info("serving", "port", e.cfg.Port, "dependencies", names(set))
	err = server.New(monitor, boot, metrics, log).Serve(ctx, listener)
	cancel(err)
	log.Info("stopping")
	stop(set, &background, log)
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	log.Info("stopped")
	return err
}

// redo provisions again what lies in a service that was away.
func redo(ctx context.Context, boot *bootstrap.Runner, service string, log *slog.Logger) {
	if err := boot.Redo(ctx, service); err != nil && ctx.Err() == nil {
		log.Error("provisioning again failed", "dependency", service, "err", err)
	}
}

// stop ends what runs in the background and closes the connections, within
// closeTime: what hangs is left to the end of the process.
func stop(set *deps.Set, background *sync.WaitGroup, log *slog.Logger) {
	done := make(chan struct{})
	go func() {
		background.Wait()
		set.Close()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(closeTime):
		log.Warn("connections were not closed in time", "after", closeTime.String())
	}
}

func names(set *deps.Set) []string {
	list := []string{}
	for _, d := range set.All() {
		list = append(list, d.Name())
	}
	return list
}
