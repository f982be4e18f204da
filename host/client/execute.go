//go:build linux

package client

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// defaultPath is where commands are looked for without a PATH.
const defaultPath = "/usr/local/bin:/usr/bin:/bin"

// execute replaces this process by a command, as execvp(3) does: a name without a slash is looked for in
// PATH, a file without a known format is a shell script. It returns only if that fails.
func execute(command []string) (code int, err error) {
	name, env := command[0], os.Environ()
	candidates := []string{name}
	if !strings.Contains(name, "/") {
		candidates = inPath(name)
	}
	result := error(unix.ENOENT)
	for _, file := range candidates {
		err := syscall.Exec(file, command, env)
		if errors.Is(err, unix.ENOEXEC) {
			err = syscall.Exec("/bin/sh", append([]string{"sh", file}, command[1:]...), env)
		}
		switch {
		case missing(err):
			continue
		case errors.Is(err, unix.EACCES): // perhaps another directory has one that can be executed
			if _, statError := os.Stat(file); statError == nil || file == name {
				result = err
			} // else it is the directory that may not be searched
			continue
		}
		return ExitNotExecutable, fmt.Errorf("execute %s: %w", file, err)
	}
	if missing(result) {
		if candidates[0] == name {
			return ExitNotFound, fmt.Errorf("execute %s: %w", name, result)
		}
		return ExitNotFound, fmt.Errorf("%s: command not found in PATH", name)
	}
	return ExitNotExecutable, fmt.Errorf("execute %s: %w", name, result)
}

// inPath lists the files that a name can stand for. An empty entry of PATH is the working directory.
func inPath(name string) []string {
	path, set := os.LookupEnv("PATH")
	if !set {
		path = defaultPath
	}
	var files []string
	for dir := range strings.SplitSeq(path, ":") {
		if dir == "" {
			dir = "."
		}
		files = append(files, dir+"/"+name)
	}
	return files
}

func missing(err error) bool { return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) }
