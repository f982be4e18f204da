package drivers

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/test/pgserver"
)

// psqlDriver is psql, fed with a script: its simple queries, several statements in one query, \copy.
func psqlDriver(ctx context.Context, t *testing.T, at place, scenarios string) (program, env []string) {
	bin, err := pgserver.Bin()
	if err != nil {
		t.Fatal(err)
	}
	return role("psql", filepath.Join(bin, "psql"))(ctx, t, at, scenarios)
}

// What separates the values, stands for null, and begins a line of ours in psql's output.
const (
	between = "\x1f"
	null    = "\x02"
	mark    = "\x03"
)

// playPsql runs all scenarios in one psql and prints what came of them.
func playPsql(ctx context.Context, scripts []script, psql string) error {
	dir, err := os.MkdirTemp("", "sallyport-psql")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w := &psqlWriter{dir: dir}
	for _, s := range scripts {
		for i, st := range s.Steps {
			if err := w.step(normal(st)); err != nil {
				return err
			}
			w.marked("step", "", s.Name, strconv.Itoa(i), st.Do)
		}
	}
	cmd := exec.CommandContext(ctx, psql, "-XAtq", "-F", between, "-P", "null="+null)
	cmd.Stdin = strings.NewReader(w.script.String())
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	return readPsql(out)
}

// psqlWriter writes the script.
type psqlWriter struct {
	dir    string
	script strings.Builder
	files  int
}

// marked has psql print how the last statement ended.
func (w *psqlWriter) marked(kind, what string, more ...string) {
	fmt.Fprintf(&w.script, "\\echo '%s%s%s%s' :SQLSTATE :ROW_COUNT '%s%s%s'\n", mark, kind, between, what, between, strings.Join(more, between), between)
	w.script.WriteString("\\echo :LAST_ERROR_MESSAGE\n")
}

func (w *psqlWriter) step(s step) error {
	switch s.Do {
	case "query", "exec", "run":
		fmt.Fprintf(&w.script, "%s;\n", literally(s.SQL, s.Args))
	case "begin", "rollback":
		fmt.Fprintf(&w.script, "%s;\n", s.Do)
	case "commit":
		w.script.WriteString("\\set QUIET off\ncommit;\n\\set QUIET on\n")
	case "batch":
		fmt.Fprintf(&w.script, "%s;\n", strings.Join(s.Statements, "\\; "))
	case "prepared":
		for _, args := range s.Times {
			fmt.Fprintf(&w.script, "%s;\n", literally(s.SQL, args))
			w.marked("part", "exec")
		}
	case "queue":
		for _, sql := range s.Statements {
			fmt.Fprintf(&w.script, "%s;\n", sql)
			w.marked("part", "query")
		}
	case "stream":
		fmt.Fprintf(&w.script, "declare streaming cursor for %s;\nfetch %d from streaming;\n", s.SQL, s.Fetch)
		w.marked("part", "exec")
		fmt.Fprintf(&w.script, "%s;\n", s.During)
		w.marked("part", "exec")
		w.script.WriteString("fetch all from streaming;\n")
		w.marked("part", "exec")
	case "copy":
		return w.copy(s)
	default:
		return fmt.Errorf("no step %q", s.Do)
	}
	return nil
}

func (w *psqlWriter) copy(s step) error {
	var data strings.Builder
	for _, row := range s.Rows {
		fmt.Fprintf(&data, "%v\t%v\n", row...)
	}
	w.files++
	file := filepath.Join(w.dir, strconv.Itoa(w.files))
	fmt.Fprintf(&w.script, "\\copy %s from '%s'\n", s.Table, file)
	return os.WriteFile(file, []byte(data.String()), 0o600)
}

// literally is a statement with its parameters written into it.
func literally(sql string, args []any) string {
	for i, v := range args {
		text := fmt.Sprint(v)
		if s, ok := v.(string); ok {
			text = "'" + s + "'"
		}
		sql = strings.ReplaceAll(sql, "$"+strconv.Itoa(i+1), text)
	}
	return sql
}

// readPsql prints what psql's output says of the steps.
func readPsql(out []byte) error {
	var found [][]any
	var parts []any
	var ended bool // a mark was read: its second line is to come
	var name, do string
	var number int
	var result object
	for raw := range bytes.Lines(out) {
		l := strings.TrimSuffix(string(raw), "\n")
		switch {
		case ended:
			ended = false
			if name != "" {
				printLine(name, number, whole(do, result, parts, found), l)
				name, parts = "", nil
			} else {
				parts = append(parts, result)
			}
			found = nil
		case strings.HasPrefix(l, mark):
			// kind, what, SQLSTATE and count, and of a step scenario, number and what it is
			f := strings.Split(l, between)
			if len(f) < 3 {
				return fmt.Errorf("psql printed %q", l)
			}
			what, ending := f[1], ""
			what, ending, _ = strings.Cut(what, " ")
			if len(f) >= 5 {
				name, do = f[2], f[4]
				number, _ = strconv.Atoi(f[3])
				what = do
			}
			result, ended = outcome(what, ending, found), true
		default:
			row := []any{}
			for _, v := range strings.Split(l, between) {
				if v == null {
					row = append(row, nil)
				} else {
					row = append(row, v)
				}
			}
			found = append(found, row)
		}
	}
	return nil
}

// outcome is the result of one statement: ending is its SQLSTATE and count.
func outcome(what, ending string, found [][]any) object {
	code, count, _ := strings.Cut(strings.TrimSpace(ending), " ")
	n, _ := strconv.Atoi(strings.TrimSpace(count))
	switch {
	case code != "00000":
		return state(code)
	case what == "query":
		return rows(found)
	case what == "exec", what == "copy":
		return object{"count": n}
	case what == "commit":
		tag := ""
		if len(found) > 0 {
			tag, _ = found[0][0].(string)
		}
		return object{"commit": map[string]string{"COMMIT": "done", "ROLLBACK": "rolled back"}[tag]}
	}
	return ok
}

// whole puts the result of a step together from its parts.
func whole(do string, result object, parts []any, _ [][]any) any {
	switch do {
	case "prepared", "queue":
		return object{"results": parts}
	case "stream":
		first, rest := parts[0].(object)["count"], parts[2].(object)
		if n, ok := rest["count"]; ok {
			rest = object{"rows": n}
		}
		return object{"first": first, "during": parts[1], "rest": rest}
	}
	return result
}
