// Command arc-probe checks the health of a service from inside its image, where there is no shell and no curl.
//
//	arc-probe http URL [-expect 200] [-contains TEXT] [-timeout 2s]
//	arc-probe tcp HOST:PORT [-timeout 2s]
//	arc-probe exec [-contains TEXT] [-timeout 2s] COMMAND [ARG]...
//
// The exit code is 0 for healthy, 1 for unhealthy (one line on stderr says why) and 2 for wrong use.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const (
	healthy   = 0
	unhealthy = 1
	misused   = 2

	defaultTimeout = 2 * time.Second
)

const usage = `usage: arc-probe http URL [-expect 200] [-contains TEXT] [-timeout 2s]
       arc-probe tcp HOST:PORT [-timeout 2s]
       arc-probe exec [-contains TEXT] [-timeout 2s] COMMAND [ARG]...`

// usageError is a mistake of the caller, not a finding about the service.
type usageError struct{ message string }

func (e usageError) Error() string { return e.message }

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

// run does what the arguments say and returns the exit code; findings and mistakes go to stderr, one line each.
func run(args []string, stderr io.Writer) int {
	err := probe(args)
	var mistake usageError
	switch {
	case err == nil:
		return healthy
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(stderr, usage)
		return healthy
	case errors.As(err, &mistake):
		fmt.Fprintf(stderr, "arc-probe: %s\n", oneLine(err.Error()))
		return misused
	default:
		fmt.Fprintf(stderr, "arc-probe: %s\n", oneLine(err.Error()))
		return unhealthy
	}
}

func probe(args []string) error {
	if len(args) == 0 {
		return usageError{"no check is named; one of http, tcp, exec must be (see -h)"}
	}
	kind, rest := args[0], args[1:]
	options := options{expect: 200, timeout: defaultTimeout}
	switch kind {
	case "http":
		target, err := options.parse(kind, rest, options.httpFlags)
		if err != nil {
			return err
		}
		return checkHTTP(target, options)
	case "tcp":
		target, err := options.parse(kind, rest, options.commonFlags)
		if err != nil {
			return err
		}
		return checkTCP(target, options)
	case "exec":
		command, err := options.parseCommand(rest)
		if err != nil {
			return err
		}
		return checkExec(command, options)
	case "-h", "-help", "--help":
		return flag.ErrHelp
	default:
		return usageError{fmt.Sprintf("%q is not a check; one of http, tcp, exec is (see -h)", kind)}
	}
}

// oneLine keeps a message on one line, whatever a service or a command wrote into it.
func oneLine(text string) string {
	return strings.Join(strings.Fields(text), " ")
}
