//go:build integration

package integration

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// raymond is a running `raymond serve`.
type raymond struct {
	cmd  *exec.Cmd
	log  bytes.Buffer
	base string
}

func build(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "raymond")
	out, err := exec.Command("go", "build", "-o", exe, "../../cmd/raymond").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return exe
}

func start(t *testing.T, exe string, environ ...string) *raymond {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	r := &raymond{base: fmt.Sprintf("http://127.0.0.1:%d", port)}
	r.cmd = exec.Command(exe)
	r.cmd.Env = append(os.Environ(), append(environ, fmt.Sprintf("RAYMOND_PORT=%d", port), "RAYMOND_HEALTH_INTERVAL=200ms")...)
	r.cmd.Stdout, r.cmd.Stderr = &r.log, &r.log
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill() })
	return r
}

// get returns status and body, or 0.
func (r *raymond) get(path string) (int, string) {
	resp, err := http.Get(r.base + path)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

func (r *raymond) await(t *testing.T, path string, status int, holds string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s %d with %q", path, status, holds), func() bool {
		code, body := r.get(path)
		return code == status && strings.Contains(body, holds)
	})
}

// stop sends SIGTERM and returns how long the end took.
func (r *raymond) stop(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	return time.Since(began)
}

// Each dependency dies and returns; /ready and /health/deep follow, /health
// does not care, and what was lost is provisioned again.
func TestADependencyDiesAndReturns(t *testing.T) {
	cfg := load(t)
	set, _, _ := open(t, cfg)
	things := provisioned(t, set)
	pg, redis, flash := hostPort(cfg)
	wires := map[string]*wire{"oracle": newWire(t, pg), "sonic": newWire(t, redis), "flash": newWire(t, flash)}
	r := start(t, build(t), "RAYMOND_POSTGRES_HOST=127.0.0.1", "RAYMOND_POSTGRES_PORT="+wires["oracle"].port(),
		"RAYMOND_REDIS_ADDR="+wires["sonic"].address, "RAYMOND_NATS_URL=nats://"+wires["flash"].address)
	r.await(t, "/ready", 200, `"ready":true`)

	for name, w := range wires {
		t.Run(name, func(t *testing.T) {
			w.Cut()
			began := time.Now()
			r.await(t, "/ready", 503, name+" does not answer")
			t.Logf("loss seen after %s", time.Since(began))
			r.await(t, "/health/deep", 503, `"status":"unhealthy"`)
			if code, body := r.get("/health"); code != 200 {
				t.Errorf("/health %d %s", code, body)
			}
			// It comes back empty.
			if err := things[name].remove(); err != nil || things[name].exists() {
				t.Fatalf("not removed: %v", err)
			}
			w.Mend(t)
			began = time.Now()
			r.await(t, "/ready", 200, `"ready":true`)
			t.Logf("return seen after %s", time.Since(began))
			if !things[name].exists() {
				t.Error("ready, but not provisioned again")
			}
		})
	}
	if took := r.stop(t); took > 5*time.Second {
		t.Errorf("the stop took %s", took)
	}
	if n := strings.Count(r.log.String(), `"dependency lost"`); n != 3 {
		t.Errorf("%d losses in the log", n)
	}
	for _, secret := range cfg.Secrets() {
		if secret != "" && strings.Contains(r.log.String(), secret) {
			t.Error("the log holds a password")
		}
	}
}

// Started before its dependencies, raymond waits for them.
func TestStartedBeforeItsDependencies(t *testing.T) {
	cfg := load(t)
	pg, _, _ := hostPort(cfg)
	w := newWire(t, pg)
	w.Cut()
	r := start(t, build(t), "RAYMOND_POSTGRES_HOST=127.0.0.1", "RAYMOND_POSTGRES_PORT="+w.port())
	r.await(t, "/ready", 503, "bootstrap step schema (oracle)")
	w.Mend(t)
	began := time.Now()
	r.await(t, "/ready", 200, "")
	t.Logf("ready %s after the database came up", time.Since(began))
	r.await(t, "/metrics", 200, `raymond_bootstrap_attempts_total{result="error",step="schema"}`)
	if took := r.stop(t); took > 2*time.Second {
		t.Errorf("the stop took %s", took)
	}
}
