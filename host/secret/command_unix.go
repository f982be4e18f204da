//go:build unix

package secret

import (
	"os/exec"
	"syscall"
)

// alone gives a command a process group of its own, and has all of it killed.
func alone(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
