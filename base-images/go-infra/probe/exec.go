package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// outputLimit is how many bytes of a command's output are kept: enough to look for a text and to say what went wrong.
const outputLimit = 64 << 10

// checkExec passes when the command ends with 0 within the timeout and its output has the expected text.
func checkExec(command []string, o options) error {
	ctx, cancel := context.WithTimeout(context.Background(), o.timeout)
	defer cancel()
	output := &limited{}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = output, output
	// The command may have children of its own: the whole group ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	name := command[0]
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return usageError{fmt.Sprintf("exec %s: %v", name, err)}
	case ctx.Err() != nil:
		return fmt.Errorf("exec %s: no answer within %s", name, o.timeout)
	case err != nil:
		return fmt.Errorf("exec %s: %w: %s", name, err, output.lastLine())
	case o.contains != "" && !strings.Contains(output.String(), o.contains):
		return fmt.Errorf("exec %s: the output has no %q: %s", name, o.contains, output.lastLine())
	}
	return nil
}

// limited keeps the first bytes written to it and forgets the others.
type limited struct{ strings.Builder }

func (l *limited) Write(data []byte) (int, error) {
	if room := outputLimit - l.Len(); room > 0 {
		l.Builder.Write(data[:min(room, len(data))])
	}
	return len(data), nil
}

func (l *limited) lastLine() string {
	lines := strings.Split(strings.TrimSpace(l.String()), "\n")
	return lines[len(lines)-1]
}
