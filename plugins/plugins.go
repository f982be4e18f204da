// Package plugins holds the plugins that ship with the gateway, as the modules that `make` built. They get no privilege that
// a plugin from a file lacks: this package only saves the operator a path.
package plugins

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed built
var built embed.FS

// Names lists the shipped plugins that this binary carries.
func Names() []string {
	entries, err := fs.ReadDir(built, "built")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".wasm"); ok {
			names = append(names, name)
		}
	}
	return names
}

// Module returns the module of a shipped plugin.
func Module(name string) ([]byte, error) {
	b, err := built.ReadFile("built/" + name + ".wasm")
	if err != nil {
		return nil, fmt.Errorf("plugin %s is not built into this command; it carries %q (a build by `make` carries all)", name, Names())
	}
	return b, nil
}
