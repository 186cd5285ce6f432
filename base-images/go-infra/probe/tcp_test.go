package main

import "testing"

func TestTCP(t *testing.T) {
	listener := listen(t)
	address := listener.Addr().String()
	expectHealthy(t, "tcp", address)
	expectHealthy(t, "tcp", "-timeout", "5s", address)
	listener.Close()
	expectUnhealthy(t, "refused", "tcp", address)
	expectUnhealthy(t, "no-such-host.invalid", "tcp", "no-such-host.invalid:80", "-timeout", "5s")
}
