// Package buildinfo holds what is known about the running binary.
package buildinfo

import "runtime"

// Version is the release, set at link time with
// -ldflags "-X <this package>.Version=1.2.3".
var Version = "dev"

// Info describes the binary.
type Info struct {
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// Get returns the toolchain and platform of the running binary.
func Get() Info {
	return Info{Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
}
