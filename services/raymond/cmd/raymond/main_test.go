package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary be raymond itself, for tests that need a
// process.
func TestMain(m *testing.M) {
	if os.Getenv("RAYMOND_TEST_AS_COMMAND") == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process starts raymond with args and environment.
func process(t *testing.T, environ []string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.Command(exe, args...)
	cmd.Env = append([]string{"RAYMOND_TEST_AS_COMMAND=1"}, environ...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, &out
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// await asks url until it gives the status, for 10 s at most.
func await(t *testing.T, url string, status int) string {
	t.Helper()
	var last string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(url)
		if err != nil {
			last = err.Error()
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if last = fmt.Sprintf("%d %s", resp.StatusCode, body); resp.StatusCode == status {
			return string(body)
		}
	}
	t.Fatalf("GET %s never gave %d: %s", url, status, last)
	return ""
}

func TestBadUse(t *testing.T) {
	tests := []struct {
		name    string
		args    []string
		environ []string
		want    string
	}{
		{"command", []string{"serv"}, nil, `unknown command "serv": use serve, smoke, health or version`},
		{"argument of serve", []string{"serve", "x"}, nil, `serve: unexpected "x"`},
		{"flag", []string{"smoke", "--jsn"}, nil, "smoke: flag provided but not defined: -jsn"},
		{"argument", []string{"health", "x"}, nil, `health: unexpected "x"`},
		{"service", []string{"smoke", "--only", "redis"}, nil, `--only: no service "redis"`},
		{"service of health", []string{"health", "--only", "oracle"}, nil, `--only: "oracle" is not configured: name some of raymond`},
		{"value", nil, []string{"RAYMOND_PORT=x"}, `RAYMOND_PORT: "x" is not a port`},
		{"secret", []string{"smoke"}, []string{"RAYMOND_POSTGRES_HOST=h"}, "POSTGRES_PASSWORD: not set"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := run(t.Context(), tt.args, tt.environ, &out, &errs)
			got := errs.String()
			if code != exitUsage || !strings.HasPrefix(got, "raymond: ") || !strings.Contains(got, tt.want) ||
				strings.Count(got, "\n") != 1 || out.Len() != 0 {
				t.Errorf("code %d, %q, want one line with %q", code, got, tt.want)
			}
		})
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"--help"}, {"smoke", "-h"}, {"version"}} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), args, nil, &out, &errs); code != exitOK || out.Len() == 0 || errs.Len() != 0 {
			t.Errorf("%v: code %d, %q, %q", args, code, out.String(), errs.String())
		}
	}
}

func TestHealthJSON(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/health" {
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	down := fmt.Sprintf("http://127.0.0.1:%d", freePort(t))
	for _, tt := range []struct {
		sherlock string
		code     int
	}{{srv.URL, exitOK}, {down, exitFail}} {
		var out, errs bytes.Buffer
		code := run(t.Context(), []string{"health", "--json"}, []string{"RAYMOND_URL=" + srv.URL, "RAYMOND_SHERLOCK_URL=" + tt.sherlock}, &out, &errs)
		var got healthReport
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if code != tt.code || got.OverallHealthy != (tt.code == exitOK) || !got.Services["raymond"].Healthy ||
			got.Services["sherlock"].Healthy != got.OverallHealthy || got.Services["sherlock"].Message == "" || time.Since(got.Timestamp) > time.Minute {
			t.Errorf("code %d, %s", code, out.String())
		}
	}
}

func TestSmokeJSON(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"smoke", "--json"}, []string{fmt.Sprintf("RAYMOND_URL=http://127.0.0.1:%d", freePort(t))}, &out, &errs)
	var got struct {
		OK     bool
		Checks []struct {
			Service, Check, Message string
			OK                      bool
		}
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || code != exitFail || got.OK || len(got.Checks) != 3 || !strings.Contains(got.Checks[0].Message, "refused") {
		t.Errorf("code %d, %v, %s", code, err, out.String())
	}
}

func TestServeWithoutDependenciesAndSIGTERM(t *testing.T) {
	port := freePort(t)
	start := time.Now()
	cmd, out := process(t, []string{fmt.Sprintf("RAYMOND_PORT=%d", port), "RAYMOND_TPYO=1"})
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	await(t, base+"/ready", 200)
	t.Logf("ready after %s", time.Since(start))
	var smoke, errs bytes.Buffer
	if code := run(t.Context(), []string{"smoke"}, []string{"RAYMOND_URL=" + base}, &smoke, &errs); code != exitOK {
		t.Errorf("smoke: code %d\n%s%s", code, smoke.String(), errs.String())
	}
	start = time.Now()
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("the stop took %s", took)
	}
	if !strings.Contains(out.String(), `"name":"RAYMOND_TPYO"`) || !strings.Contains(out.String(), `"msg":"stopped"`) {
		t.Errorf("log: %s", out.String())
	}
}

// A dependency that accepts connections and never answers must neither hold up
// the stop nor /health.
func TestSIGTERMWithHangingDependencies(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			if _, err := l.Accept(); err != nil {
				return
			}
		}
	}()
	hangs, port := l.Addr().String(), freePort(t)
	cmd, out := process(t, []string{
		fmt.Sprintf("RAYMOND_PORT=%d", port), "POSTGRES_PASSWORD=hunter2", "REDIS_PASSWORD=hunter2", "NATS_PASSWORD=hunter2",
		"RAYMOND_POSTGRES_HOST=127.0.0.1", fmt.Sprintf("RAYMOND_POSTGRES_PORT=%d", l.Addr().(*net.TCPAddr).Port),
		"RAYMOND_REDIS_ADDR=" + hangs, "RAYMOND_NATS_URL=nats://" + hangs,
	}, "serve")
	base, start := fmt.Sprintf("http://127.0.0.1:%d", port), time.Now()
	await(t, base+"/health", 200)
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("/health took %s", took)
	}
	time.Sleep(500 * time.Millisecond) // probes and bootstrap are under way
	await(t, base+"/ready", 503)
	start = time.Now()
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	took := time.Since(start)
	t.Logf("the stop took %s", took)
	if took > 10*time.Second {
		t.Errorf("the stop took %s", took)
	}
	if strings.Contains(out.String(), "hunter2") {
		t.Errorf("the log holds a password: %s", out.String())
	}
}

func TestServeGivesUpWhenBootstrapCannotBeDone(t *testing.T) {
	port, closed := freePort(t), freePort(t)
	var out, errs bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	code := run(ctx, nil, []string{
		fmt.Sprintf("RAYMOND_PORT=%d", port), "RAYMOND_BOOTSTRAP_TIMEOUT=1s",
		fmt.Sprintf("RAYMOND_REDIS_ADDR=127.0.0.1:%d", closed), "REDIS_PASSWORD=x",
	}, &out, &errs)
	if code != exitFail || !strings.Contains(errs.String(), "raymond: bootstrap: marker (sonic): gave up after") {
		t.Errorf("code %d, %s", code, errs.String())
	}
}

func TestATakenPort(t *testing.T) {
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	port := l.Addr().(*net.TCPAddr).Port
	var out, errs bytes.Buffer
	code := run(t.Context(), nil, []string{fmt.Sprintf("RAYMOND_PORT=%d", port)}, &out, &errs)
	if code != exitUsage || !strings.Contains(errs.String(), fmt.Sprintf("RAYMOND_PORT: cannot listen on %d", port)) {
		t.Errorf("code %d, %s", code, errs.String())
	}
}
