// Command flash is the NATS server of the stack: upstream's server, started as its own command does it, that refuses
// to start without a password, takes any password literally and ends with 0 when it is asked to stop.
//
//	flash [nats-server's arguments]
//
// NATS_PASSWORD is required, NATS_USER is "arc" unless it is set. Exit codes: 0 stopped, 1 failed, 2 misconfigured.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/nats-io/nats-server/v2/server"
)

const defaultUser = "arc"

func main() {
	if err := prepareCredentials(); err != nil {
		fmt.Fprintf(os.Stderr, "flash: %v\n", err)
		os.Exit(2)
	}
	flags := flag.NewFlagSet("flash", flag.ExitOnError)
	options, err := server.ConfigureOptions(flags, os.Args[1:], server.PrintServerAndExit, flags.Usage, server.PrintTLSHelpAndDie)
	if err != nil {
		fmt.Fprintf(os.Stderr, "flash: %s\n", strings.Join(strings.Fields(err.Error()), " "))
		os.Exit(2)
	}
	if err := serve(options); err != nil {
		fmt.Fprintf(os.Stderr, "flash: %v\n", err)
		os.Exit(1)
	}
}

// prepareCredentials checks the variables that the configuration refers to, and writes them so that NATS reads them
// back as they are: it parses a variable's value like a piece of configuration, where 1e5 is a number and $x a
// variable.
func prepareCredentials() error {
	password := os.Getenv("NATS_PASSWORD")
	if password == "" {
		return errors.New("NATS_PASSWORD is not set: give the service its secret (there is no default password)")
	}
	user := os.Getenv("NATS_USER")
	if user == "" {
		user = defaultUser
	}
	if err := os.Setenv("NATS_PASSWORD", quote(password)); err != nil {
		return err
	}
	return os.Setenv("NATS_USER", quote(user))
}

// quote writes a text as a string of NATS's configuration language.
func quote(text string) string {
	var quoted strings.Builder
	quoted.WriteByte('"')
	for _, char := range []byte(text) {
		switch {
		case char >= 'a' && char <= 'z', char >= 'A' && char <= 'Z', char >= '0' && char <= '9':
			quoted.WriteByte(char)
		default:
			fmt.Fprintf(&quoted, `\x%02x`, char)
		}
	}
	quoted.WriteByte('"')
	return quoted.String()
}

// serve runs the server until a signal stops it. Upstream's own handler exits with 1 after SIGTERM, which a supervisor
// takes for a failure.
func serve(options *server.Options) error {
	options.NoSigs = true
	messaging, err := server.NewServer(options)
	if err != nil {
		return err
	}
	messaging.ConfigureLogger()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go handle(signals, messaging)
	if err := server.Run(messaging); err != nil {
		return err
	}
	messaging.WaitForShutdown()
	return nil
}

// handle stops the server on SIGTERM and SIGINT, and reads its configuration again on SIGHUP.
func handle(signals <-chan os.Signal, messaging *server.Server) {
	for received := range signals {
		if received != syscall.SIGHUP {
			messaging.Noticef("Stopping: %s", received)
			messaging.Shutdown()
			return
		}
		if err := messaging.Reload(); err != nil {
			messaging.Errorf("Configuration not read again: %v", err)
		}
	}
}
