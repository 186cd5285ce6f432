// Package config reads raymond's configuration from environment variables.
//
// A dependency is configured when its address is set; only configured ones
// are checked, provisioned and exercised.
package config

import (
	"log/slog"
	"time"
)

// Secret is a value that no format verb, log or JSON encoder shows.
type Secret string

// Reveal returns the value itself, for the client library that needs it.
func (s Secret) Reveal() string { return string(s) }

// String returns a mask.
func (Secret) String() string { return "[redacted]" }

// GoString returns a mask.
func (Secret) GoString() string { return "[redacted]" }

// MarshalText returns a mask.
func (Secret) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// Postgres is how to reach oracle.
type Postgres struct {
	Host     string
	Port     int
	User     string
	Database string
	SSLMode  string
	Password Secret
}

// Redis is how to reach sonic.
type Redis struct {
	Addr     string
	Password Secret
}

// NATS is how to reach flash.
type NATS struct {
	URL      string
	User     string
	Password Secret
}

// Config is everything that can be set. A nil dependency is not configured.
type Config struct {
	Port             int
	LogLevel         slog.Level
	BootstrapTimeout time.Duration
	HealthInterval   time.Duration
	Postgres         *Postgres
	Redis            *Redis
	NATS             *NATS
	SherlockURL      string // empty: not configured
	SelfURL          string // where `raymond smoke` finds `raymond serve`
	OTLPEndpoint     string // empty: no traces are exported
	Unknown          []string
	secrets          []string
}

// Secrets returns the values that must never be shown.
func (c *Config) Secrets() []string { return c.secrets }

var sslModes = []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}

// Load reads the configuration. environ is a list of NAME=value as os.Environ
// returns it; an empty value counts as unset. The error, if any, is one line
// that names the variable and what to do.
func Load(environ []string) (*Config, error) {
	e := newEnv(environ)
	c := &Config{
		Port:             e.port("RAYMOND_PORT", 8081),
		LogLevel:         e.level("SERVICE_LOG_LEVEL", e.level("LOG_LEVEL", slog.LevelInfo)),
		BootstrapTimeout: e.duration("RAYMOND_BOOTSTRAP_TIMEOUT", 5*time.Minute, time.Second),
		HealthInterval:   e.duration("RAYMOND_HEALTH_INTERVAL", 5*time.Second, 100*time.Millisecond),
		SherlockURL:      e.url("RAYMOND_SHERLOCK_URL", "", "http", "https"),
		OTLPEndpoint:     e.url("OTEL_EXPORTER_OTLP_ENDPOINT", "", "http", "https"),
	}
	c.SelfURL = e.url("RAYMOND_URL", "http://localhost:"+itoa(c.Port), "http", "https")
	c.Postgres = e.postgres()
	c.Redis = e.redis()
	c.NATS = e.nats()
	c.Unknown = e.unknown()
	// Headers of the trace exporter usually carry a key.
	c.secrets = append(e.secrets, e.values["OTEL_EXPORTER_OTLP_HEADERS"])
	return c, e.err
}

func (e *env) postgres() *Postgres {
	p := &Postgres{
		Host:     e.host("RAYMOND_POSTGRES_HOST"),
		Port:     e.port("RAYMOND_POSTGRES_PORT", 5432),
		User:     e.text("RAYMOND_POSTGRES_USER", "arc"),
		Database: e.text("RAYMOND_POSTGRES_DB", "arc"),
		SSLMode:  e.oneOf("RAYMOND_POSTGRES_SSLMODE", "prefer", sslModes),
	}
	if p.Host == "" {
		return nil
	}
	p.Password = e.secret("POSTGRES_PASSWORD", "RAYMOND_POSTGRES_HOST")
	return p
}

func (e *env) redis() *Redis {
	r := &Redis{Addr: e.hostPort("RAYMOND_REDIS_ADDR")}
	if r.Addr == "" {
		return nil
	}
	r.Password = e.secret("REDIS_PASSWORD", "RAYMOND_REDIS_ADDR")
	return r
}

func (e *env) nats() *NATS {
	n := &NATS{URL: e.url("RAYMOND_NATS_URL", "", "nats", "tls"), User: e.text("NATS_USER", "arc")}
	if n.URL == "" {
		return nil
	}
	n.Password = e.secret("NATS_PASSWORD", "RAYMOND_NATS_URL")
	return n
}
