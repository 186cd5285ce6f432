package main

import (
	"strings"
	"testing"
	"time"
)

func TestExec(t *testing.T) {
	expectHealthy(t, "exec", "true")
	expectHealthy(t, "exec", "-contains", "PONG", "echo", "PONG")
	expectHealthy(t, "exec", "sh", "-c", "exit 0", "-timeout", "belongs to the command")
	expectUnhealthy(t, "exit status 3: second", "exec", "sh", "-c", "echo first; echo second >&2; exit 3")
	expectUnhealthy(t, `no "PONG": LOADING`, "exec", "-contains", "PONG", "echo", "LOADING")
}

func TestExecEndsTheWholeGroupAtTheTimeout(t *testing.T) {
	start := time.Now()
	expectUnhealthy(t, "no answer within 200ms", "exec", "-timeout", "200ms", "sh", "-c", "sleep 30 & sleep 30")
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestExecKeepsTheStartOfLongOutput(t *testing.T) {
	expectHealthy(t, "exec", "-contains", "begin", "sh", "-c", "echo begin; head -c 300000 /dev/zero")
	output := &limited{}
	for range 3 {
		if n, err := output.Write([]byte(strings.Repeat("x", outputLimit-1))); n != outputLimit-1 || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
	}
	if output.Len() != outputLimit {
		t.Errorf("kept %d bytes, want %d", output.Len(), outputLimit)
	}
}
