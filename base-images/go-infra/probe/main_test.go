package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestRunReportsMistakesWithExitCodeTwo(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"no check", nil, "no check is named"},
		{"unknown check", []string{"dns", "x"}, `"dns" is not a check`},
		{"http without target", []string{"http"}, "http needs a target"},
		{"https", []string{"http", "https://localhost/"}, "is not an http:// URL"},
		{"no scheme", []string{"http", "localhost:80/x"}, "is not an http:// URL"},
		{"password in the URL", []string{"http", "http://u:p@localhost/"}, "user or a password"},
		{"two targets", []string{"http", "http://localhost/", "http://localhost/"}, "takes one target"},
		{"unknown flag", []string{"http", "http://localhost/", "-insecure"}, "-insecure"},
		{"no duration", []string{"tcp", "localhost:1", "-timeout", "2"}, "-timeout"},
		{"negative timeout", []string{"tcp", "-timeout", "-1s", "localhost:1"}, "more than 0"},
		{"flag of another check", []string{"tcp", "localhost:1", "-expect", "200"}, "-expect"},
		{"no port", []string{"tcp", "localhost"}, "is not HOST:PORT"},
		{"no host", []string{"tcp", ":80"}, "is not HOST:PORT"},
		{"port too large", []string{"tcp", "localhost:65536"}, "is not a port"},
		{"exec without command", []string{"exec", "-contains", "x"}, "exec needs a command"},
		{"exec of nothing that exists", []string{"exec", "/no/such/command"}, "/no/such/command"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			code, message := runProbe(test.args...)
			if code != misused || !strings.Contains(message, test.want) {
				t.Errorf("got %d %q, want %d with %q", code, message, misused, test.want)
			}
			if strings.Count(message, "\n") != 1 {
				t.Errorf("got %q, want exactly one line", message)
			}
		})
	}
}

func TestHelpIsNoMistake(t *testing.T) {
	for _, args := range [][]string{{"-h"}, {"--help"}, {"http", "-h"}, {"exec", "-h"}} {
		if code, message := runProbe(args...); code != healthy || !strings.HasPrefix(message, "usage: arc-probe") {
			t.Errorf("%v: got %d %q", args, code, message)
		}
	}
}

// runProbe returns the exit code and what was written to stderr.
func runProbe(args ...string) (int, string) {
	var stderr bytes.Buffer
	code := run(args, &stderr)
	return code, stderr.String()
}

// expectHealthy fails the test unless the probe is content and silent.
func expectHealthy(t *testing.T, args ...string) {
	t.Helper()
	if code, message := runProbe(args...); code != healthy || message != "" {
		t.Errorf("%v: got %d %q, want 0 and no message", args, code, message)
	}
}

// expectUnhealthy fails the test unless the probe exits 1 and says want on one line.
func expectUnhealthy(t *testing.T, want string, args ...string) {
	t.Helper()
	code, message := runProbe(args...)
	if code != unhealthy || !strings.Contains(message, want) || strings.Count(message, "\n") != 1 {
		t.Errorf("%v: got %d %q, want 1 and one line with %q", args, code, message, want)
	}
}
