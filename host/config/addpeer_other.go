//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package config

import (
	"io/fs"
	"os"
)

// Systems without these calls go without them: the gateway itself runs on none of them.

func lock(*os.File) error                   { return nil }
func keepOwner(*os.File, fs.FileInfo) error { return nil }
func syncDir(string) error                  { return nil }
