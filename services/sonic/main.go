// Command sonic starts Redis with the settings that differ between deployments: it checks them, hands them to
// redis-server on standard input, where neither an argument list nor a file shows the password, and becomes it.
//
// REDIS_PASSWORD is required; REDIS_MAXMEMORY is 512mb unless it is set. Exit code 2: misconfigured.
package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
)

const (
	redisServer      = "/usr/bin/redis-server"
	redisConfig      = "/etc/redis/redis.conf"
	defaultMaxMemory = "512mb"
)

// memorySize is how Redis writes a number of bytes.
var memorySize = regexp.MustCompile(`(?i)^[0-9]+([kmg]b?)?$`)

func main() {
	fmt.Fprintf(os.Stderr, "sonic: %v\n", start())
	os.Exit(2)
}

// start returns only when Redis could not be started.
func start() error {
	settings, err := settings(os.LookupEnv)
	if err != nil {
		return err
	}
	if err := giveOnStdin(settings); err != nil {
		return err
	}
	args := []string{redisServer, redisConfig, "-"}
	if err := syscall.Exec(redisServer, args, environment(os.Environ())); err != nil {
		return fmt.Errorf("%s: %w", redisServer, err)
	}
	return nil
}

// settings returns the lines of configuration that the environment decides.
func settings(lookup func(string) (string, bool)) (string, error) {
	password, _ := lookup("REDIS_PASSWORD")
	if password == "" {
		return "", errors.New("REDIS_PASSWORD is not set: give the service its secret (there is no default password)")
	}
	limit, _ := lookup("REDIS_MAXMEMORY")
	if limit == "" {
		limit = defaultMaxMemory
	}
	if !memorySize.MatchString(limit) {
		return "", fmt.Errorf("REDIS_MAXMEMORY: %q is not a size; write it like 512mb or 2gb", limit)
	}
	return fmt.Sprintf("requirepass %s\nmaxmemory %s\n", quote(password), limit), nil
}

// quote writes a text as a string of Redis's configuration language.
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

// giveOnStdin makes a text this process's standard input: a pipe holds it, since it is far smaller than a pipe's buffer.
func giveOnStdin(text string) error {
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	if _, err := writer.WriteString(text); err != nil {
		return err
	}
	if err := writer.Close(); err != nil {
		return err
	}
	return syscall.Dup3(int(reader.Fd()), 0, 0)
}

// environment leaves the password out: Redis has it already, and modules and scripts need not.
func environment(own []string) []string {
	var kept []string
	for _, variable := range own {
		if !strings.HasPrefix(variable, "REDIS_PASSWORD=") {
			kept = append(kept, variable)
		}
	}
	return kept
}
