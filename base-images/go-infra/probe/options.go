package main

import (
	"flag"
	"fmt"
	"io"
	"time"
)

// options are the flags of all checks; each check reads those that it has.
type options struct {
	expect   int
	contains string
	timeout  time.Duration
}

func (o *options) commonFlags(set *flag.FlagSet) {
	set.DurationVar(&o.timeout, "timeout", o.timeout, "")
}

func (o *options) httpFlags(set *flag.FlagSet) {
	o.commonFlags(set)
	set.IntVar(&o.expect, "expect", o.expect, "")
	set.StringVar(&o.contains, "contains", "", "")
}

func (o *options) execFlags(set *flag.FlagSet) {
	o.commonFlags(set)
	set.StringVar(&o.contains, "contains", "", "")
}

// parse reads flags before and after the one positional argument, which it returns.
func (o *options) parse(kind string, args []string, define func(*flag.FlagSet)) (string, error) {
	rest, err := o.flags(kind, args, define)
	if err != nil {
		return "", err
	}
	if len(rest) == 0 {
		return "", usageError{kind + " needs a target (see -h)"}
	}
	target := rest[0]
	rest, err = o.flags(kind, rest[1:], define)
	if err != nil {
		return "", err
	}
	if len(rest) > 0 {
		return "", usageError{fmt.Sprintf("%s takes one target, %q is too much (see -h)", kind, rest[0])}
	}
	return target, nil
}

// parseCommand reads flags up to the command: what follows belongs to the command.
func (o *options) parseCommand(args []string) ([]string, error) {
	rest, err := o.flags("exec", args, o.execFlags)
	if err != nil {
		return nil, err
	}
	if len(rest) == 0 {
		return nil, usageError{"exec needs a command (see -h)"}
	}
	return rest, nil
}

func (o *options) flags(kind string, args []string, define func(*flag.FlagSet)) ([]string, error) {
	set := flag.NewFlagSet(kind, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	define(set)
	if err := set.Parse(args); err != nil {
		if err == flag.ErrHelp {
			return nil, err
		}
		return nil, usageError{fmt.Sprintf("%s: %s (see -h)", kind, err)}
	}
	if o.timeout <= 0 {
		return nil, usageError{fmt.Sprintf("%s: -timeout must be more than 0", kind)}
	}
	return set.Args(), nil
}
