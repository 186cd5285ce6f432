package main

import (
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestSettings(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		want string
	}{
		{"default limit", map[string]string{"REDIS_PASSWORD": "abc123"}, "requirepass \"abc123\"\nmaxmemory 512mb\n"},
		{
			"own limit", map[string]string{"REDIS_PASSWORD": "x", "REDIS_MAXMEMORY": "2GB"},
			"requirepass \"x\"\nmaxmemory 2GB\n",
		},
		{
			"nothing in a password is syntax", map[string]string{"REDIS_PASSWORD": "a\"b\\ \n#"},
			"requirepass \"a\\x22b\\x5c\\x20\\x0a\\x23\"\nmaxmemory 512mb\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := settings(lookup(test.env))
			if err != nil || got != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestMistakesAreRefused(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		want string
	}{
		{"no password", nil, "REDIS_PASSWORD is not set"},
		{"empty password", map[string]string{"REDIS_PASSWORD": ""}, "REDIS_PASSWORD is not set"},
		{"limit in words", map[string]string{"REDIS_PASSWORD": "x", "REDIS_MAXMEMORY": "much"}, `"much" is not a size`},
		{"unknown unit", map[string]string{"REDIS_PASSWORD": "x", "REDIS_MAXMEMORY": "2tb"}, `"2tb" is not a size`},
		{"second line", map[string]string{"REDIS_PASSWORD": "x", "REDIS_MAXMEMORY": "1gb\nport 1"}, "is not a size"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := settings(lookup(test.env))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %q, %v; want one line with %q", got, err, test.want)
			}
		})
	}
}

func TestGiveOnStdin(t *testing.T) {
	saved, err := syscall.Dup(0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Dup3(saved, 0, 0)
	if err := giveOnStdin("requirepass x\n"); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(os.Stdin)
	if err != nil || string(got) != "requirepass x\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestEnvironmentHasNoPassword(t *testing.T) {
	got := environment([]string{"HOME=/home/arcuser", "REDIS_PASSWORD=x", "REDIS_PASSWORD_HINT=y"})
	if !slices.Equal(got, []string{"HOME=/home/arcuser", "REDIS_PASSWORD_HINT=y"}) {
		t.Errorf("got %q", got)
	}
}

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, found := env[name]
		return value, found
	}
}
