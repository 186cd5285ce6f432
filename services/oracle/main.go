// Command oracle prepares and runs PostgreSQL: it makes the cluster on an empty volume, keeps role, password and
// databases as this image wants them at every start, and stops the server quickly and cleanly on SIGTERM.
//
//	oracle [postgres's arguments]
//
// POSTGRES_PASSWORD is required: it becomes the password of the role arc, on an old volume too. Exit codes: 0 stopped,
// 1 failed, 2 misconfigured.
package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"time"
)

const (
	programs   = "/usr/lib/postgresql/17/bin/"
	configFile = "/etc/postgresql/postgresql.conf"
	volume     = "/data"
	major      = "17"

	// lockPatience is how long a start waits for an instance that is just stopping.
	lockPatience = 30 * time.Second
)

// mistakeError is something that whoever deploys the service has to correct.
type mistakeError struct{ message string }

func (e mistakeError) Error() string { return e.message }

func main() {
	// The server is told when the thread that started it ends: that thread must live as long as the program.
	runtime.LockOSThread()
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	err := run(os.Args[1:])
	var mistake mistakeError
	switch {
	case err == nil:
		os.Exit(0)
	case errors.As(err, &mistake):
		fmt.Fprintf(os.Stderr, "oracle: %v\n", err)
		os.Exit(2)
	default:
		fmt.Fprintf(os.Stderr, "oracle: %s\n", strings.Join(strings.Fields(err.Error()), " "))
		os.Exit(1)
	}
}

func run(args []string) error {
	password, err := readPassword(os.Getenv("POSTGRES_PASSWORD"))
	if err != nil {
		return err
	}
	if err := os.Unsetenv("POSTGRES_PASSWORD"); err != nil {
		return err
	}
	lock, err := lockVolume(volume, lockPatience)
	if err != nil {
		return err
	}
	defer lock.Close()
	cluster := cluster{dir: volume + "/pgdata", password: password, lock: lock}
	if err := cluster.prepare(); err != nil {
		return err
	}
	return cluster.serve(args)
}

// readPassword takes only what all clients send unchanged: other characters would have to be normalised first.
func readPassword(password string) (string, error) {
	if password == "" {
		return "", mistakeError{"POSTGRES_PASSWORD is not set: give the service its secret (there is no default password)"}
	}
	for _, char := range password {
		if char < ' ' || char > '~' {
			return "", mistakeError{"POSTGRES_PASSWORD: only printable ASCII characters are taken"}
		}
	}
	return password, nil
}
