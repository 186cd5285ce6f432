package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	role           = "arc"
	vectorDatabase = "arc"
)

// databases all belong to the role arc.
var databases = []string{"arc", "kratos", "unleash"}

// cluster is PostgreSQL's data directory and what is wanted of it.
type cluster struct {
	dir      string
	password string
	lock     *os.File
}

// prepare makes the cluster where there is none, and brings an existing one to what this image wants.
func (c cluster) prepare() error {
	version, err := clusterVersion(c.dir)
	if err != nil {
		return err
	}
	if version == "" {
		return c.create()
	}
	if version != major {
		return mistakeError{fmt.Sprintf("%s was made by PostgreSQL %s, this image has %s: dump it with the old image and restore it here", c.dir, version, major)}
	}
	if err := removeStale(c.dir); err != nil {
		return err
	}
	return c.provision(c.dir)
}

// create works in a directory beside the final one: what an interrupted start left there is made anew.
func (c cluster) create() error {
	start := time.Now()
	slog.Info("making a new cluster", "path", c.dir)
	draft := c.dir + ".new"
	if err := os.RemoveAll(draft); err != nil {
		return err
	}
	// The order of characters comes from PostgreSQL itself (builtin C.UTF-8), not from a library: an index stays valid
	// when the base image brings a newer one.
	_, err := c.program("initdb", "", "--pgdata="+draft, "--username=postgres", "--encoding=UTF8", "--no-locale",
		"--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums", "--no-instructions",
		"--auth-local=peer", "--auth-host=scram-sha-256")
	if err != nil {
		return err
	}
	if err := c.provision(draft); err != nil {
		return err
	}
	if err := moveInPlace(draft, c.dir); err != nil {
		return err
	}
	slog.Info("the new cluster is ready", "took", time.Since(start).Round(time.Millisecond))
	return nil
}

var datname = regexp.MustCompile(`datname = "([^"]+)"`)

// provision runs in single-user mode: nobody can connect before password and databases are right. The statements are
// such that a second run changes nothing but the password's salt.
func (c cluster) provision(dir string) error {
	verifier, err := scramVerifier(c.password)
	if err != nil {
		return err
	}
	output, err := c.single(dir, "postgres",
		"DO $$BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '"+role+"') THEN CREATE ROLE "+role+"; END IF; END$$",
		"ALTER ROLE "+role+" LOGIN NOSUPERUSER PASSWORD '"+verifier+"'",
		"SELECT datname FROM pg_database")
	if err != nil {
		return err
	}
	var present, statements []string
	for _, match := range datname.FindAllStringSubmatch(output, -1) {
		present = append(present, match[1])
	}
	for _, name := range databases {
		if !slices.Contains(present, name) {
			statements = append(statements, "CREATE DATABASE "+name+" OWNER "+role)
		}
	}
	if len(statements) > 0 {
		if _, err := c.single(dir, "postgres", statements...); err != nil {
			return err
		}
	}
	_, err = c.single(dir, vectorDatabase, "CREATE EXTENSION IF NOT EXISTS vector")
	return err
}

// single runs statements as the superuser without a server, and returns what they printed.
func (c cluster) single(dir, database string, statements ...string) (string, error) {
	return c.program("postgres", strings.Join(statements, "\n")+"\n", "--single", "-D", dir,
		"-c", "config_file="+configFile, "-c", "exit_on_error=on", database)
}

// program runs one of PostgreSQL's programs; when it fails, the error is the last thing it said.
func (c cluster) program(name, stdin string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(programs+name, args...)
	cmd.Env = environment()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	cmd.ExtraFiles = []*os.File{c.lock}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", name, err, complaint(stderr.String()))
	}
	return stdout.String(), nil
}

// complaint is the line of a program's output that says what went wrong; statements, which hold the password's
// verifier, are not repeated.
func complaint(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	for _, line := range slices.Backward(lines) {
		if strings.Contains(line, "ERROR:") || strings.Contains(line, "FATAL:") || strings.Contains(line, "error:") {
			return line
		}
	}
	return "it said nothing"
}

// environment is what PostgreSQL's programs see: the image has no locale but C.
func environment() []string {
	return append(os.Environ(), "LC_ALL=C")
}

// serve runs the server until it ends. PostgreSQL takes SIGTERM for "when the last client has gone"; a supervisor means
// "now", which to PostgreSQL is SIGINT: open transactions are rolled back and everything is written.
func (c cluster) serve(args []string) error {
	cmd := exec.Command(programs+"postgres", append([]string{"-D", c.dir, "-c", "config_file=" + configFile}, args...)...)
	cmd.Env = environment()
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{c.lock}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGINT}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP)
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		for received := range signals {
			if received == syscall.SIGTERM {
				received = syscall.SIGINT
			}
			if err := cmd.Process.Signal(received); err != nil {
				slog.Warn("signal not passed on", "signal", received, "error", err)
			}
		}
	}()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}
