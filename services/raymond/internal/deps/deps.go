// Package deps holds one client for each service that raymond talks to.
// A client is cheap to make: it reaches for the network only when used.
package deps

import (
	"context"
	"log/slog"

	"github.com/arc-framework/arc/services/raymond/internal/config"
)

// Codenames of the services.
const (
	Oracle   = "oracle"
	Sonic    = "sonic"
	Flash    = "flash"
	Sherlock = "sherlock"
	Raymond  = "raymond"
)

// Dependency is a service that can be asked, by its own protocol, whether it
// does its work.
type Dependency interface {
	// Name returns the codename.
	Name() string
	// Target returns where it is, without credentials.
	Target() string
	// Required tells whether raymond cannot be ready without it.
	Required() bool
	// Ping asks once and returns what answered, such as a version.
	Ping(ctx context.Context) (string, error)
	// Close gives back what Ping and others opened.
	Close()
}

// Set is the clients of all configured services; the others are nil.
type Set struct {
	Oracle   *Postgres
	Sonic    *Redis
	Flash    *NATS
	Sherlock *HTTP
}

// New makes the clients for what cfg configures.
func New(cfg *config.Config, log *slog.Logger) (*Set, error) {
	var s Set
	if cfg.Postgres != nil {
		pg, err := NewPostgres(cfg.Postgres)
		if err != nil {
			return nil, err
		}
		s.Oracle = pg
	}
	if cfg.Redis != nil {
		s.Sonic = NewRedis(cfg.Redis, log)
	}
	if cfg.NATS != nil {
		s.Flash = NewNATS(cfg.NATS, log)
	}
	if cfg.SherlockURL != "" {
		// An application above raymond: watched, but raymond does not need it.
		s.Sherlock = NewHTTP(Sherlock, cfg.SherlockURL, false)
	}
	return &s, nil
}

// All returns the configured dependencies in the order they are reported.
func (s *Set) All() []Dependency {
	var all []Dependency
	if s.Oracle != nil {
		all = append(all, s.Oracle)
	}
	if s.Sonic != nil {
		all = append(all, s.Sonic)
	}
	if s.Flash != nil {
		all = append(all, s.Flash)
	}
	if s.Sherlock != nil {
		all = append(all, s.Sherlock)
	}
	return all
}

// Close closes every client.
func (s *Set) Close() {
	for _, d := range s.All() {
		d.Close()
	}
}
