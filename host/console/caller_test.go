package console

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// callAs calls the console of dir in a process of another user: this test binary again.
func callAs(t *testing.T, dir string, uid uint32) ([]byte, error) {
	t.Helper()
	self, err := os.Open("/proc/self/exe") // which that user can run wherever it lies
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	cmd := exec.Command("/proc/self/fd/3", "-test.run=^TestCaller$")
	cmd.ExtraFiles = []*os.File{self}
	cmd.Dir = "/"
	cmd.Env = []string{"CONSOLE_TEST_DIR=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	return cmd.CombinedOutput()
}

// TestCaller is the other process.
func TestCaller(t *testing.T) {
	dir := os.Getenv("CONSOLE_TEST_DIR")
	if dir == "" {
		t.Skip("only run by TestCallers")
	}
	if _, err := client(t, dir).Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
}
