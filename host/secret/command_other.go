//go:build !unix

package secret

import "os/exec"

func alone(*exec.Cmd) {}
