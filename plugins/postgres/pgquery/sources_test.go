package pgquery_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sources reads files of libpg_query.
func sources(t *testing.T, names ...string) string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/pganalyze/pg_query_go/v6").Output()
	if err != nil {
		t.Fatal("go list:", err)
	}
	var all strings.Builder
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "parser", "include", name))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

func own(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("c", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func matches(pattern, text string) []string {
	var found []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// The statements that are none by themselves.
var partsOfStatements = []string{
	"PLAssignStmt",        // PL/pgSQL only, never in the raw tree of a query
	"RawStmt",             // the frame around each top-level statement
	"ReplicaIdentityStmt", // inside ALTER TABLE
	"ReturnStmt",          // inside CREATE FUNCTION … BEGIN ATOMIC
	"SetOperationStmt",    // made by parse analysis
}

// TestEveryStatementHasAKind compares kinds.h with all that libpg_query calls a statement.
func TestEveryStatementHasAKind(t *testing.T) {
	all := matches(`case T_(\w+Stmt):`, sources(t, "pg_query_outfuncs_conds.c"))
	if len(all) < 100 {
		t.Fatalf("only %d statements found in libpg_query", len(all))
	}
	kinds := matches(`KIND\(\d+, (\w+)\)`, own(t, "kinds.h"))
	for _, name := range all {
		if _, found := slices.BinarySearch(kinds, name); found == slices.Contains(partsOfStatements, name) {
			t.Errorf("%s must either have a kind or be documented as a part", name)
		}
	}
	for _, name := range kinds {
		if !slices.Contains(all, name) {
			t.Errorf("libpg_query knows no %s", name)
		}
	}
}

// The nodes whose fields are not walked, because no statement, relation, function or expression can be below them.
var leaves = []string{
	"A_Const", "A_Star", "Alias", "BitString", "Boolean", "ColumnRef", "Float", "Integer", "ParamRef", "RangeVar", "String",
	"TypeName", // unless it has modifiers
}

// TestEveryNodeIsWalked checks that the walker leaves out no node but the documented leaves, and that each node type has an
// out-function to walk it with.
func TestEveryNodeIsWalked(t *testing.T) {
	walker := own(t, "facts.c")
	_, body, _ := strings.Cut(walker, "static void visit_node(")
	body, _, found := strings.Cut(body, "default:")
	if !found {
		t.Fatal("visit_node not found in facts.c")
	}
	special := matches(`case T_(\w+):`, body)
	for _, name := range []string{"WithClause", "SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"} {
		i := slices.Index(special, name) // walked with their scope
		if i < 0 {
			t.Fatalf("visit_node does not mention %s", name)
		}
		special = slices.Delete(special, i, i+1)
	}
	if !slices.Equal(special, leaves) {
		t.Errorf("leaves in facts.c: %q\ndocumented here: %q", special, leaves)
	}

	functions := matches(`static void\s+_out(\w+)\(`, sources(t, "pg_query_outfuncs_defs.c")+walker)
	for _, name := range matches(`OUT_NODE\(\w+, (\w+),`, sources(t, "pg_query_outfuncs_conds.c")) {
		if !slices.Contains(functions, name) {
			t.Errorf("no out-function walks %s", name)
		}
	}
}

// The fields of nodes that libpg_query's out-functions do not visit. Parse analysis makes them; a raw tree has none.
var unvisited = []string{"GroupingFunc.cols", "JsonTablePath.value", "SinglePartitionSpec.name", "SinglePartitionSpec.bound"}

// The node types without an out-function: abstract ones, and those of parse analysis.
// SinglePartitionSpec is of a grammar that PostgreSQL 17 took back.
var unlisted = []string{"Const", "Expr", "JsonTablePlan", "A_Const"}

// TestEveryFieldIsWalked compares the fields of PostgreSQL's node types with the fields that the out-functions visit: a field that
// the generator forgot would be a hiding place.
func TestEveryFieldIsWalked(t *testing.T) {
	visited := map[string]string{}
	functions := regexp.MustCompile(`(?s)_out\w+\(OUT_TYPE\(\w+, \w+\) \w+, const (\w+) \*node\)\n\{(.*?)\n\}`)
	for _, m := range functions.FindAllStringSubmatch(sources(t, "pg_query_outfuncs_defs.c"), -1) {
		visited[m[1]] = m[2]
	}
	if len(visited) < 250 {
		t.Fatalf("only %d out-functions found", len(visited))
	}
	headers := sources(t, "postgres/nodes/parsenodes.h", "postgres/nodes/primnodes.h")
	headers = regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(headers, "")
	field := regexp.MustCompile(`(?m)^\s*(?:const )?(?:struct )?(\w+)\s*\*+\s*(\w+)`)
	for _, m := range regexp.MustCompile(`(?s)typedef struct (\w+)\s*\{(.*?)\n\} \w+;`).FindAllStringSubmatch(headers, -1) {
		name := m[1]
		body, known := visited[name]
		if !known {
			if !slices.Contains(unlisted, name) {
				t.Errorf("%s has no out-function", name)
			}
			continue
		}
		for _, f := range field.FindAllStringSubmatch(m[2], -1) {
			if f[1] == "char" || f[1] == "Bitmapset" {
				continue
			}
			walks := regexp.MustCompile(`WRITE_\w*(LIST|NODE)\w*\(.*\b` + f[2] + `\);`)
			if !walks.MatchString(body) && !slices.Contains(unvisited, name+"."+f[2]) {
				t.Errorf("%s.%s (%s) is not visited", name, f[2], f[1])
			}
		}
	}
}
