package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// env reads variables and keeps the first error. It shows a bad value only
// where the value cannot hold a password.
type env struct {
	values  map[string]string
	read    map[string]bool
	secrets []string
	err     error
}

func newEnv(environ []string) *env {
	e := &env{values: make(map[string]string), read: make(map[string]bool)}
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok {
			e.values[name] = value
		}
	}
	return e
}

func itoa(n int) string { return strconv.Itoa(n) }

func (e *env) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf(format, args...)
	}
}

func (e *env) text(name, fallback string) string {
	e.read[name] = true
	if v := e.values[name]; v != "" {
		return v
	}
	return fallback
}

func (e *env) secret(name, because string) Secret {
	v := e.text(name, "")
	if v == "" {
		e.fail("%s: not set, but %s is: set it to the password of that service", name, because)
		return ""
	}
	e.secrets = append(e.secrets, v)
	return Secret(v)
}

func (e *env) port(name string, fallback int) int {
	v := e.text(name, itoa(fallback))
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > 65535 {
		e.fail("%s: %q is not a port: set a number from 1 to 65535", name, v)
		return fallback
	}
	return n
}

func (e *env) duration(name string, fallback, least time.Duration) time.Duration {
	v := e.text(name, fallback.String())
	d, err := time.ParseDuration(v)
	if err != nil || d < least {
		e.fail("%s: %q is not a duration of at least %s: write it like 30s or 5m", name, v, least)
		return fallback
	}
	return d
}

func (e *env) level(name string, fallback slog.Level) slog.Level {
	v := e.text(name, "")
	switch strings.ToLower(v) {
	case "":
		return fallback
	case "debug":
		return slog.LevelDebug
	case "info":
		return slog.LevelInfo
	case "warn", "warning":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	e.fail("%s: %q is not a level: set debug, info, warn or error", name, v)
	return fallback
}

func (e *env) oneOf(name, fallback string, allowed []string) string {
	v := e.text(name, fallback)
	if !slices.Contains(allowed, v) {
		e.fail("%s: %q is not known: set one of %s", name, v, strings.Join(allowed, ", "))
		return fallback
	}
	return v
}

func (e *env) host(name string) string {
	v := e.text(name, "")
	if strings.ContainsAny(v, "/@ \t") || (strings.Contains(v, ":") && net.ParseIP(v) == nil) {
		e.fail("%s: not a host name: set the name alone, such as arc-persistence, without scheme, port or credentials", name)
	}
	return v
}

func (e *env) hostPort(name string) string {
	v := e.text(name, "")
	if v == "" {
		return ""
	}
	host, port, err := net.SplitHostPort(v)
	n, perr := strconv.Atoi(port)
	if err != nil || perr != nil || host == "" || n < 1 || n > 65535 || strings.ContainsAny(v, "/@ ") {
		e.fail("%s: not host:port: set it like arc-cache:6379, without scheme or credentials", name)
	}
	return v
}

// url accepts scheme://host[:port][/path] and refuses credentials: they have
// variables of their own.
func (e *env) url(name, fallback string, schemes ...string) string {
	v := e.text(name, fallback)
	if v == "" {
		return ""
	}
	if err := checkURL(v, schemes); err != nil {
		e.fail("%s: %w: set it like %s://host:port", name, err, schemes[0])
	}
	return strings.TrimRight(v, "/")
}

func checkURL(v string, schemes []string) error {
	u, err := url.Parse(v)
	switch {
	case err != nil: // its message would show the value
		return errors.New("not a URL")
	case u.User != nil:
		return errors.New("holds credentials, which belong in variables of their own")
	case !slices.Contains(schemes, u.Scheme):
		return fmt.Errorf("the scheme is not %s", strings.Join(schemes, " or "))
	case u.Hostname() == "":
		return errors.New("the host is missing")
	case u.Port() != "":
		if n, _ := strconv.Atoi(u.Port()); n < 1 || n > 65535 {
			return errors.New("the port is not from 1 to 65535")
		}
	}
	return nil
}

// unknown returns names with our prefix that nothing reads: mostly typing
// errors. Orchestrators inject some of their own (RAYMOND_SERVICE_HOST), so
// they are reported and not refused.
func (e *env) unknown() []string {
	var names []string
	for name := range e.values {
		if strings.HasPrefix(name, "RAYMOND_") && !e.read[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
