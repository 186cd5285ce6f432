package main

import (
	"fmt"
	"net"
	"strconv"
)

// checkTCP passes when the port takes a connection within the timeout.
func checkTCP(target string, o options) error {
	if err := validAddress(target); err != nil {
		return err
	}
	conn, err := net.DialTimeout("tcp", target, o.timeout)
	if err != nil {
		return fmt.Errorf("tcp %s: %w", target, err)
	}
	return conn.Close()
}

func validAddress(target string) error {
	host, port, err := net.SplitHostPort(target)
	if err != nil || host == "" {
		return usageError{fmt.Sprintf("tcp: %q is not HOST:PORT", target)}
	}
	if number, err := strconv.Atoi(port); err != nil || number < 1 || number > 65535 {
		return usageError{fmt.Sprintf("tcp: %q is not a port from 1 to 65535", port)}
	}
	return nil
}
