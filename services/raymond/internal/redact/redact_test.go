package redact

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
)

const secret = `p@ss/w:rd "quoted" é`

func TestString(t *testing.T) {
	r := New("hunter2", "hunter2-longer", secret, "")
	tests := []struct{ name, in, want string }{
		{"nothing secret", "dial tcp 10.0.0.1:5432: refused", "dial tcp 10.0.0.1:5432: refused"},
		{"plain", "auth hunter2 failed", "auth [redacted] failed"},
		{"the longer one as a whole", "hunter2-longer", "[redacted]"},
		{"special characters", "x" + secret + "y", "x[redacted]y"},
		{"query escaped", url.QueryEscape(secret), Mask},
		{"path escaped", url.PathEscape(secret), Mask},
		{"base64", base64.StdEncoding.EncodeToString([]byte(secret)), Mask},
		{"json escaped", `{"a":"p@ss/w:rd \"quoted\" é"}`, `{"a":"[redacted]"}`},
		{"known in a URL", "redis://:hunter2@h:1/0", "redis://:[redacted]@h:1/0"},
		{"unknown in a URL", "postgres://arc:other@h/db?x=1", "postgres://arc:[redacted]@h/db?x=1"},
		{"unknown, unescaped, in a URL", "nats://arc:a/b@c:d@h:4222", "nats://arc:[redacted]@h:4222"},
		{"URL without password", "http://h:8000/x", "http://h:8000/x"},
		{"connection string", "host=h password=other dbname=d", "host=h password=[redacted] dbname=d"},
		{"JSON", `{"api_key": "other", "a": 1}`, `{"api_key": "[redacted]", "a": 1}`},
		{"quoted", "password='other' user=arc", "password='[redacted]' user=arc"},
		{"prose", "POSTGRES_PASSWORD: not set, but", "POSTGRES_PASSWORD: not set, but"},
		{"variable", "POSTGRES_PASSWORD=other", "POSTGRES_PASSWORD=[redacted]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.String(tt.in); got != tt.want {
				t.Errorf("String(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestLine(t *testing.T) {
	got := New("hunter2").Line("failed to connect:\n\t10.0.0.1 (hunter2)\n")
	if want := "failed to connect: 10.0.0.1 ([redacted])"; got != want {
		t.Errorf("Line = %q, want %q", got, want)
	}
}

type dsn struct{ Host, Pass string }

func TestLogHoldsNoSecret(t *testing.T) {
	var out bytes.Buffer
	r := New("hunter2")
	log := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{ReplaceAttr: r.Attr, AddSource: true}))
	log.Info("connected with hunter2",
		"err", fmt.Errorf("wrapped: %w", errors.New("auth hunter2")),
		"dsn", dsn{"h", "hunter2"},
		"list", []string{"a", "hunter2"},
		"password", "not known to anybody",
		slog.Group("nested", "Authorization", "Bearer xyz", "url", "http://u:xyz@h"),
		"u", &url.URL{Scheme: "redis", User: url.UserPassword("", "hunter2"), Host: "h"},
	)
	got := out.String()
	for _, bad := range []string{"hunter2", "not known", "xyz"} {
		if strings.Contains(got, bad) {
			t.Errorf("log holds %q: %s", bad, got)
		}
	}
	for _, want := range []string{`"msg":"connected with [redacted]"`, `"level":"INFO"`, `{Host:h Pass:[redacted]}`} {
		if !strings.Contains(got, want) {
			t.Errorf("log lacks %s: %s", want, got)
		}
	}
}
