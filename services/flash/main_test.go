package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

func TestCredentialsReachTheServerAsTheyAre(t *testing.T) {
	tests := []struct{ name, password string }{
		{"hex", "5f3a0c"},
		{"a number to NATS", "1e5"},
		{"a size to NATS", "10mb"},
		{"a boolean to NATS", "true"},
		{"a variable to NATS", "$HOME"},
		{"quotes and backslashes", `a"b'c\d`},
		{"spaces and structure", "a b{c}#d;"},
		{"more than ASCII", "pässwörd"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("NATS_USER", "")
			t.Setenv("NATS_PASSWORD", test.password)
			if err := prepareCredentials(); err != nil {
				t.Fatal(err)
			}
			options, err := server.ProcessConfigFile("nats.conf")
			if err != nil {
				t.Fatal(err)
			}
			if options.Username != "arc" || options.Password != test.password {
				t.Errorf("got %q %q, want arc %q", options.Username, options.Password, test.password)
			}
		})
	}
}

func TestTheImageConfigurationIsTheOneOfTheCatalogue(t *testing.T) {
	t.Setenv("NATS_USER", "someone")
	t.Setenv("NATS_PASSWORD", "x")
	if err := prepareCredentials(); err != nil {
		t.Fatal(err)
	}
	options, err := server.ProcessConfigFile("nats.conf")
	if err != nil {
		t.Fatal(err)
	}
	if options.Username != "someone" || options.Port != 4222 || options.HTTPPort != 8222 ||
		!options.JetStream || options.StoreDir != "/data" {
		t.Errorf("got %+v", options)
	}
}

func TestAMissingPasswordIsOneLineAndExitCodeTwo(t *testing.T) {
	output, code := runProgram(t, nil, "NATS_PASSWORD=")
	if code != 2 || strings.Count(output, "\n") != 1 || !strings.Contains(output, "NATS_PASSWORD is not set") {
		t.Errorf("got %d %q", code, output)
	}
}

func TestAWrongConfigurationIsOneLineAndExitCodeTwo(t *testing.T) {
	output, code := runProgram(t, []string{"-c", "/no/such/file"}, "NATS_PASSWORD=x")
	if code != 2 || strings.Count(output, "\n") != 1 || !strings.Contains(output, "/no/such/file") {
		t.Errorf("got %d %q", code, output)
	}
}

func TestServesAndKeepsMessagesAndStopsWithZero(t *testing.T) {
	store := t.TempDir()
	args := []string{"-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", store, "-js", "-sd", store, "--user", "arc", "--pass", "s3cret"}
	stop := startProgram(t, args)
	publish(t, clientURL(t, store))
	stop()

	stop = startProgram(t, args)
	defer stop()
	connection := connect(t, clientURL(t, store), "s3cret")
	stream, err := connection.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	message, err := stream.GetLastMsg("events", "events.test")
	if err != nil || string(message.Data) != "kept" {
		t.Errorf("got %v, %v", message, err)
	}
	if _, err := nats.Connect(clientURL(t, store), nats.UserInfo("arc", "wrong")); err == nil {
		t.Error("a wrong password was taken")
	}
}

func publish(t *testing.T, url string) {
	t.Helper()
	stream, err := connect(t, url, "s3cret").JetStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.AddStream(&nats.StreamConfig{Name: "events", Subjects: []string{"events.*"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Publish("events.test", []byte("kept")); err != nil {
		t.Fatal(err)
	}
}

func connect(t *testing.T, url, password string) *nats.Conn {
	t.Helper()
	connection, err := nats.Connect(url, nats.UserInfo("arc", password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(connection.Close)
	return connection
}

// clientURL waits for the file in which the server says which port it took.
func clientURL(t *testing.T, store string) string {
	t.Helper()
	for range 100 {
		files, err := filepath.Glob(filepath.Join(store, "*.ports"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if start := strings.Index(string(text), "nats://"); err == nil && start >= 0 {
				return strings.SplitN(string(text)[start:], `"`, 2)[0]
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the server said no port")
	return ""
}

// startProgram starts this command; the function that it returns stops it as a supervisor does and checks the exit code.
func startProgram(t *testing.T, args []string) func() {
	t.Helper()
	cmd := program(context.Background(), args, "NATS_PASSWORD=s3cret")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return func() {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := cmd.Wait(); err != nil || time.Since(start) > 10*time.Second {
			t.Errorf("ended with %v after %s, want 0 within 10s", err, time.Since(start))
		}
	}
}

func runProgram(t *testing.T, args []string, env ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := program(ctx, args, env...)
	output, _ := cmd.CombinedOutput()
	return string(output), cmd.ProcessState.ExitCode()
}

// program is this test binary, which is the command itself when FLASH_MAIN is set.
func program(ctx context.Context, args []string, env ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(append(os.Environ(), "FLASH_MAIN=1"), env...)
	return cmd
}

func TestMain(m *testing.M) {
	if os.Getenv("FLASH_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}
