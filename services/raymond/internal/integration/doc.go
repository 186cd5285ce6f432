// Package integration tests raymond against real servers. It needs the build
// tag "integration" and, in the environment, the addresses and passwords that
// raymond itself reads (RAYMOND_POSTGRES_HOST, POSTGRES_PASSWORD, ...).
package integration
