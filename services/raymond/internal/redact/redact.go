// Package redact keeps secrets out of everything that a person or a log
// collector can read.
package redact

import (
	"encoding"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Mask replaces a secret.
const Mask = "[redacted]"

var (
	// userinfo of a URL: scheme://user:password@host. The password may hold
	// "/" or ":" when its owner forgot to escape it.
	urlPassword = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@]*):[^\s"']*@`)
	// password=value, "password": "value" and friends, as connection strings
	// and JSON spell them. Not prose such as "password: not set".
	keyValue = regexp.MustCompile(`(?i)\b((?:[a-z_]*password|passwd|pwd|[a-z_]*secret|[a-z_]*token|api_?key)(?:\s*=\s*|["']?\s*:\s*["'])["']?)([^\s,;&"']+)`)
	// attribute keys whose value is a secret whatever it looks like.
	secretKey = regexp.MustCompile(`(?i)(password|passwd|secret|token|api_?key|authorization|credential)`)
)

// Redactor masks known secrets, and what looks like one.
type Redactor struct {
	known []string
}

// New returns a Redactor that knows the given secrets, in plain, URL-escaped
// and base64 form. Empty ones are ignored.
func New(secrets ...string) *Redactor {
	var known []string
	for _, s := range secrets {
		if s == "" {
			continue
		}
		quoted, _ := json.Marshal(s) // a string always marshals
		known = append(known, s,
			url.QueryEscape(s), url.PathEscape(s),
			strings.TrimPrefix(url.UserPassword("", s).String(), ":"),
			base64.StdEncoding.EncodeToString([]byte(s)),
			strings.Trim(string(quoted), `"`))
	}
	// The longest first: a secret that is part of another must not split it.
	slices.SortFunc(known, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return &Redactor{known: slices.Compact(known)}
}

// String returns s with every secret masked.
func (r *Redactor) String(s string) string {
	for _, k := range r.known {
		s = strings.ReplaceAll(s, k, Mask)
	}
	s = urlPassword.ReplaceAllString(s, "${1}:"+Mask+"@")
	return keyValue.ReplaceAllString(s, "${1}"+Mask)
}

// Line returns s with every secret masked, as one line: messages of drivers
// come in several.
func (r *Redactor) Line(s string) string {
	return strings.Join(strings.Fields(r.String(s)), " ")
}

// Error returns the message of err as one masked line, or "" for nil.
func (r *Redactor) Error(err error) string {
	if err == nil {
		return ""
	}
	return r.Line(err.Error())
}

// Attr masks a log attribute. It fits slog.HandlerOptions.ReplaceAttr, which
// also sees the message.
func (r *Redactor) Attr(_ []string, a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	if a.Value.Kind() == slog.KindGroup {
		return a // its members arrive one by one
	}
	if secretKey.MatchString(a.Key) {
		return slog.String(a.Key, Mask)
	}
	switch a.Value.Kind() {
	case slog.KindString:
		return slog.String(a.Key, r.String(a.Value.String()))
	case slog.KindAny:
		return slog.Attr{Key: a.Key, Value: r.any(a.Value.Any())}
	default:
		return a
	}
}

func (r *Redactor) any(v any) slog.Value {
	switch v := v.(type) {
	case nil, slog.Level, *slog.Source:
		return slog.AnyValue(v)
	case error:
		return slog.StringValue(r.Error(v))
	case []string:
		masked := make([]string, len(v))
		for i, s := range v {
			masked[i] = r.String(s)
		}
		return slog.AnyValue(masked)
	case encoding.TextMarshaler:
		text, err := v.MarshalText()
		if err != nil {
			return slog.StringValue(r.Error(err))
		}
		return slog.StringValue(r.String(string(text)))
	default:
		return slog.StringValue(r.String(fmt.Sprintf("%+v", v)))
	}
}
