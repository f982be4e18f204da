// Package scaffold writes the project of a new plugin: `sallyport plugin new`. What it writes builds, passes its tests and is admitted by
// `sallyport plugin check` as it is; an author then changes one thing at a time.
//
// The templates are in templates/, one folder for each language, and conversations that all of them share.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/sallyport-dev/sallyport/sdk/c"
)

//go:embed templates
var templates embed.FS

// Languages are those that there are templates for.
func Languages() []string { return []string{"go", "c", "assemblyscript"} }

// Project is what is to be written.
type Project struct {
	Name string // [a-z][a-z0-9-]*
	Lang string // one of Languages
	Dir  string // must not exist, or be empty; empty: a folder of the project's name
	SDK  string // for Go: Sallyport's repository, see FindSDK
}

// Module is the path of Sallyport's Go module.
const Module = "github.com/sallyport-dev/sallyport"

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// reserved are names that the family of actions cannot have, because rules use them for something else.
var reserved = []string{"action", "connect", "endpoint", "peer"}

// Check says what is wrong with a project.
func (p *Project) Check() error {
	switch {
	case !namePattern.MatchString(p.Name):
		return fmt.Errorf("the name %q is not of the form [a-z][a-z0-9-]*, at most 63 characters", p.Name)
	case slices.Contains(reserved, p.Name):
		return fmt.Errorf("a plugin cannot be called %q: rules use that word for something else", p.Name)
	case !slices.Contains(Languages(), p.Lang):
		return fmt.Errorf("there is no template for the language %q; there are %s", p.Lang, strings.Join(Languages(), ", "))
	}
	return nil
}

// Write writes the project and returns its files, by their paths in its folder.
func Write(p Project) (files []string, err error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if p.Dir == "" {
		p.Dir = p.Name
	}
	content, err := render(&p)
	if err != nil {
		return nil, err
	}
	if err := empty(p.Dir); err != nil {
		return nil, err
	}
	for name := range content {
		files = append(files, name)
	}
	slices.Sort(files)
	for _, name := range files {
		path := filepath.Join(p.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, content[name], 0o666); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// empty checks that nothing is overwritten.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is there and not empty; name another folder with --dir", dir)
	}
	return nil
}

// render is the content of every file.
func render(p *Project) (map[string][]byte, error) {
	words := map[string]any{
		"Name":  p.Name,
		"Word":  strings.ReplaceAll(p.Name, "-", "_"),
		"Upper": strings.ToUpper(strings.ReplaceAll(p.Name, "-", "_")),
		"Title": title(p.Name),
		"In":    map[string]string{"go": "", "c": " in C", "assemblyscript": " in AssemblyScript"}[p.Lang],
	}
	files := map[string][]byte{}
	if p.Lang == "go" {
		sum, err := p.goModule(words)
		if err != nil {
			return nil, err
		}
		files["go.sum"] = sum
	}
	if p.Lang == "c" {
		for _, name := range []string{"sallyport.h", "sallyport_impl.h"} {
			b, err := c.Headers.ReadFile(name)
			if err != nil {
				return nil, err
			}
			files[name] = b
		}
	}
	for _, from := range []struct{ dir, to string }{{p.Lang, ""}, {"conversations", "conversations/"}} {
		if err := renderFolder(files, "templates/"+from.dir, from.to, words, p.Name); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"README.md", "gitignore"} {
		b, err := renderFile("templates/"+name+".tmpl", words)
		if err != nil {
			return nil, err
		}
		files[strings.Replace(name, "gitignore", ".gitignore", 1)] = b
	}
	return files, nil
}

func renderFolder(files map[string][]byte, dir, to string, words map[string]any, name string) error {
	return fs.WalkDir(templates, dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := renderFile(path, words)
		if err != nil {
			return err
		}
		file := to + strings.TrimSuffix(strings.TrimPrefix(path, dir+"/"), ".tmpl")
		if file == "plugin.c" {
			file = name + ".c"
		}
		files[file] = b
		return nil
	})
}

func renderFile(path string, words map[string]any) ([]byte, error) {
	text, err := templates.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t, err := template.New(path).Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, words); err != nil {
		return nil, err
	}
	if strings.HasSuffix(path, ".go.tmpl") { // how things line up depends on the name
		return format.Source(b.Bytes())
	}
	return b.Bytes(), nil
}

// title makes RedisCache of redis-cache.
func title(name string) string {
	var b strings.Builder
	for _, part := range strings.Split(name, "-") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}
