package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDefaults(t *testing.T) {
	c, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Port != 8081 || c.LogLevel != slog.LevelInfo || c.BootstrapTimeout != 5*time.Minute ||
		c.SelfURL != "http://localhost:8081" || c.Postgres != nil || c.Redis != nil || c.NATS != nil || c.SherlockURL != "" {
		t.Errorf("defaults: %+v", c)
	}
}

func TestEverythingSet(t *testing.T) {
	c, err := Load([]string{
		"RAYMOND_PORT=9000", "LOG_LEVEL=warn", "SERVICE_LOG_LEVEL=debug", "RAYMOND_BOOTSTRAP_TIMEOUT=90s",
		"RAYMOND_POSTGRES_HOST=arc-persistence", "POSTGRES_PASSWORD=a=b", "RAYMOND_POSTGRES_SSLMODE=require",
		"RAYMOND_REDIS_ADDR=[::1]:6379", "REDIS_PASSWORD=r",
		"RAYMOND_NATS_URL=nats://arc-messaging:4222", "NATS_PASSWORD=n", "NATS_USER=",
		"RAYMOND_SHERLOCK_URL=http://arc-reasoner:8000/", "RAYMOND_REDIS_ADRR=typo", "OTHER=1",
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Port != 9000 || c.LogLevel != slog.LevelDebug || c.BootstrapTimeout != 90*time.Second || c.SelfURL != "http://localhost:9000" {
		t.Errorf("scalars: %+v", c)
	}
	want := Postgres{"arc-persistence", 5432, "arc", "arc", "require", "a=b"}
	if *c.Postgres != want {
		t.Errorf("postgres %#v", c.Postgres)
	}
	if c.Redis.Addr != "[::1]:6379" || c.NATS.User != "arc" || c.SherlockURL != "http://arc-reasoner:8000" {
		t.Errorf("addresses: %+v %+v %q", c.Redis, c.NATS, c.SherlockURL)
	}
	if !slices.Equal(c.Unknown, []string{"RAYMOND_REDIS_ADRR"}) {
		t.Errorf("unknown %q", c.Unknown)
	}
	for _, s := range []string{"a=b", "r", "n"} {
		if !slices.Contains(c.Secrets(), s) {
			t.Errorf("Secrets() lacks %q", s)
		}
	}
}

func TestBadValues(t *testing.T) {
	pg := "RAYMOND_POSTGRES_HOST=h"
	tests := []struct {
		name    string
		environ []string
		want    string
	}{
		{"port word", []string{"RAYMOND_PORT=http"}, `RAYMOND_PORT: "http" is not a port: set a number from 1 to 65535`},
		{"port range", []string{"RAYMOND_PORT=70000"}, `RAYMOND_PORT: "70000" is not a port`},
		{"port of an orchestrator", []string{"RAYMOND_PORT=tcp://10.0.0.1:8081"}, "RAYMOND_PORT:"},
		{"level", []string{"LOG_LEVEL=loud"}, `LOG_LEVEL: "loud" is not a level: set debug, info, warn or error`},
		{"service level", []string{"SERVICE_LOG_LEVEL=x"}, "SERVICE_LOG_LEVEL:"},
		{"timeout", []string{"RAYMOND_BOOTSTRAP_TIMEOUT=5"}, `RAYMOND_BOOTSTRAP_TIMEOUT: "5" is not a duration`},
		{"interval", []string{"RAYMOND_HEALTH_INTERVAL=1ms"}, "at least 100ms"},
		{"postgres secret", []string{pg}, "POSTGRES_PASSWORD: not set, but RAYMOND_POSTGRES_HOST is"},
		{"postgres empty secret", []string{pg, "POSTGRES_PASSWORD="}, "POSTGRES_PASSWORD: not set"},
		{"redis secret", []string{"RAYMOND_REDIS_ADDR=h:1"}, "REDIS_PASSWORD: not set, but RAYMOND_REDIS_ADDR is"},
		{"nats secret", []string{"RAYMOND_NATS_URL=nats://h"}, "NATS_PASSWORD: not set, but RAYMOND_NATS_URL is"},
		{"postgres as URL", []string{"RAYMOND_POSTGRES_HOST=postgres://arc:hunter2@h"}, "RAYMOND_POSTGRES_HOST: not a host name"},
		{"postgres port in the host", []string{"RAYMOND_POSTGRES_HOST=h:5432"}, "RAYMOND_POSTGRES_HOST: not a host name"},
		{"ssl mode", []string{"RAYMOND_POSTGRES_SSLMODE=on"}, "set one of disable, allow, prefer"},
		{"redis without port", []string{"RAYMOND_REDIS_ADDR=h"}, "RAYMOND_REDIS_ADDR: not host:port"},
		{"redis as URL", []string{"RAYMOND_REDIS_ADDR=redis://:hunter2@h:6379"}, "RAYMOND_REDIS_ADDR: not host:port"},
		{"nats credentials", []string{"RAYMOND_NATS_URL=nats://arc:hunter2@h:4222"}, "RAYMOND_NATS_URL: holds credentials"},
		{"nats scheme", []string{"RAYMOND_NATS_URL=h:4222"}, "RAYMOND_NATS_URL: the scheme is not nats or tls: set it like nats://host:port"},
		{"nats port", []string{"RAYMOND_NATS_URL=nats://h:99999"}, "RAYMOND_NATS_URL: the port"},
		{"unparsable", []string{"RAYMOND_SHERLOCK_URL=http://h:hunter2"}, "RAYMOND_SHERLOCK_URL: not a URL"},
		{"no host", []string{"RAYMOND_URL=http://"}, "RAYMOND_URL: the host is missing"},
		{"otlp", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317"}, "OTEL_EXPORTER_OTLP_ENDPOINT: the scheme"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(tt.environ)
			if err == nil {
				t.Fatal("no error")
			}
			got := err.Error()
			if !strings.Contains(got, tt.want) {
				t.Errorf("error %q lacks %q", got, tt.want)
			}
			if strings.Contains(got, "\n") || strings.Contains(got, "hunter2") {
				t.Errorf("error has several lines or a password: %q", got)
			}
		})
	}
}

func TestSecretIsNeverShown(t *testing.T) {
	p := &Postgres{Host: "h", Password: "hunter2"}
	encoded, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{fmt.Sprint(*p), fmt.Sprintf("%+v", p), fmt.Sprintf("%#v", p), fmt.Sprintf("%s %q", p.Password, p.Password), string(encoded)} {
		if strings.Contains(got, "hunter2") {
			t.Errorf("shown: %s", got)
		}
	}
	if p.Password.Reveal() != "hunter2" {
		t.Error("Reveal lost the value")
	}
}
