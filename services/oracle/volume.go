package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockVolume makes sure that no other instance uses the volume. The server inherits the open file: the lock is held
// until the last process of this instance is gone, however it ends, and then it is free without any cleaning up.
func lockVolume(dir string, patience time.Duration) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, mistakeError{fmt.Sprintf("%v: the volume at %s must belong to %d:%d", err, dir, os.Getuid(), os.Getgid())}
	}
	for deadline, told := time.Now().Add(patience), false; ; {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(deadline) {
			file.Close()
			return nil, fmt.Errorf("%s is in use by another instance: stop that one, or give this one a volume of its own", dir)
		}
		if !told {
			slog.Info("waiting for another instance to release the volume", "path", dir)
			told = true
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// removeStale removes what a killed server leaves behind. Its process number may belong to another process by now, for
// which PostgreSQL would refuse to start; the lock shows that no server is alive.
func removeStale(clusterDir string) error {
	err := os.Remove(filepath.Join(clusterDir, "postmaster.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// clusterVersion is the major version that made the cluster, or "" where there is none.
func clusterVersion(clusterDir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(clusterDir, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return string(text[:max(0, len(text)-1)]), nil
}

// moveInPlace gives a finished cluster its name, on the disk too: half a cluster never has it.
func moveInPlace(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	parent, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	defer parent.Close()
	return parent.Sync()
}
