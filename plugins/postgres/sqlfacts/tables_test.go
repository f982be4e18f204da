package sqlfacts

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func TestGeneratedTables(t *testing.T) {
	if !slices.IsSorted(harmlessFunctions[:]) || !slices.IsSorted(catalogOperators[:]) {
		t.Fatal("the tables are not sorted")
	}
	if len(harmlessFunctions) < 2000 || len(catalogOperators) < 70 {
		t.Fatalf("%d functions, %d operators", len(harmlessFunctions), len(catalogOperators))
	}
	for _, name := range harmlessFunctions {
		if class, special := specialFunction(name); special && class > abi.ClassRead {
			t.Errorf("%s is in the table of harmless functions", name)
		}
		for _, part := range []string{"_to_xml", "dblink", "pg_read_", "pg_ls_", "lo_", "advisory", "terminate", "set_config", "nextval"} {
			if strings.Contains(name, part) && !strings.HasPrefix(name, "lo_") && !slices.Contains([]string{"nextval"}, part) {
				t.Errorf("%s is in the table of harmless functions", name)
			}
		}
	}
}

func TestFunctionClasses(t *testing.T) {
	for _, c := range []struct {
		schema, name string
		want         Class
	}{
		{"", "lower", abi.ClassRead},
		{"pg_catalog", "lower", abi.ClassRead},
		{"public", "lower", abi.ClassExecute},
		{"", "Lower", abi.ClassExecute}, // quoted: not the catalog's
		{"", "count", abi.ClassRead},
		{"", "random", abi.ClassRead},
		{"", "", abi.ClassExecute},
		{"", "nextval", abi.ClassWrite},
		{"public", "nextval", abi.ClassExecute},
		{"", "set_config", abi.ClassRead},
		{"", "pg_read_file", abi.ClassExecute},
		{"", "pg_ls_new_thing", abi.ClassExecute},
		{"ext", "dblink_exec", abi.ClassOpaque},
		{"ext", "crosstab", abi.ClassOpaque},
		{"", "query_to_xml", abi.ClassOpaque},
		{"", "ts_rewrite", abi.ClassOpaque},
		{"", "pg_relation_filepath", abi.ClassExecute},
		{"", "uuid_generate_v4", abi.ClassExecute},
	} {
		if got := functionClass(c.schema, c.name); got != c.want {
			t.Errorf("%s.%s: %v, want %v", c.schema, c.name, got, c.want)
		}
	}
	for _, c := range []struct {
		schema, name string
		want         Class
	}{{"", "||", abi.ClassRead}, {"pg_catalog", "+", abi.ClassRead}, {"s", "+", abi.ClassExecute}, {"", "@@@@", abi.ClassExecute}} {
		if got := operatorClass(c.schema, c.name); got != c.want {
			t.Errorf("%s.%s: %v, want %v", c.schema, c.name, got, c.want)
		}
	}
}

// TestNodesFollowTheCompanion compares the kinds of statements with the companion's.
func TestNodesFollowTheCompanion(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "pgquery", "c", "kinds.h"))
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`(?m)^KIND\(\d+, (\w+)\)$`).FindAllStringSubmatch(string(text), -1)
	if len(kinds) != int(nodes)-1 {
		t.Fatalf("%d kinds in kinds.h, %d here", len(kinds), nodes-1)
	}
	for i, m := range kinds {
		if nodeTable[i+1].name != m[1] {
			t.Errorf("kind %d is %s in kinds.h, %s here", i+1, m[1], nodeTable[i+1].name)
		}
	}
}

// TestNounsFollowTheEnumeration compares the nouns with PostgreSQL's ObjectType.
func TestNounsFollowTheEnumeration(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/pganalyze/pg_query_go/v6").Output()
	if err != nil {
		t.Fatal(err)
	}
	header, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "parser/include/postgres/nodes/parsenodes.h"))
	if err != nil {
		t.Fatal(err)
	}
	body := regexp.MustCompile(`(?s)typedef enum ObjectType\s*\{(.*?)\}`).FindSubmatch(header)
	if body == nil {
		t.Fatal("no ObjectType")
	}
	names := regexp.MustCompile(`OBJECT_\w+`).FindAllString(string(body[1]), -1)
	if len(names) != len(objectNouns) {
		t.Fatalf("%d object types, %d nouns", len(names), len(objectNouns))
	}
	for name, noun := range map[string]string{"OBJECT_TABLE": "table", "OBJECT_VIEW": "view", "OBJECT_INDEX": "index",
		"OBJECT_DATABASE": "database", "OBJECT_FUNCTION": "function", "OBJECT_MATVIEW": "materialized view", "OBJECT_ROLE": "role",
		"OBJECT_SCHEMA": "schema", "OBJECT_TRIGGER": "trigger", "OBJECT_TYPE": "type", "OBJECT_ACCESS_METHOD": "access method"} {
		if i := slices.Index(names, name); objectNouns[i] != noun {
			t.Errorf("%s is called %q", name, objectNouns[i])
		}
	}
}

// Records by hand: a select of one row by key, a delete inside a WITH, a text with all kinds of entries.
var records = []string{
	"\x01\x00",
	"\x01\x00SV\x01\x00\x00C\x01aR" + "r\x00\x01t",
	"\x01\x00SV\x01\x00\x00V\x04\x03\x00Rw\x07\x0cpublic.usersC\x01*",
	"\x01\x03SV\x07\x20\x00N\x04RoleW\x01xF\x02\x03a.fP\x00\x01@H12345678T\x01xSV\xff\xff\xffNR",
	"\x01\x00SV\x01\x00\x00F\x00\x0aset_configG\x0bsearch_pathg\x00G\x00F\x00\x01f",
	"\x01\x00SSV\x18\x00\x29Rd\x00\x01tRd\x00\x01u",
}

func TestDecodeRefusesDamage(t *testing.T) {
	for _, whole := range records[:3] {
		if _, err := Decode(whole); err != nil {
			t.Errorf("%q: %v", whole, err)
		}
	}
	for _, damaged := range []string{
		"", "\x01", "\x02\x00", "\x01\x00X", "\x01\x00V\x01\x00\x00", "\x01\x00SC\x01a", "\x01\x00SV\x01\x00", "\x01\x00SV\x01\x00\x00C\x05ab",
		"\x01\x00SV\x01\x00\x00C\xff\xff\xff\xff\xff\x01", "\x01\x00SV\x01\x00\x00Rr\x05\x02ab", "\x01\x00SV\x01\x00\x00Rr\x01\x02ab",
		"\x01\x00H1234", "\x01\x00SV\x01\x00\x00R",
	} {
		if facts, err := Decode(damaged); err == nil {
			t.Errorf("%q: %+v", damaged, facts)
		}
	}
}

// TestUnknownKindsAreOpaque: a record of a newer companion never looks harmless.
func TestUnknownKindsAreOpaque(t *testing.T) {
	for _, record := range []string{"\x01\x00SV\x00\x00\x00", "\x01\x00SV\xf0\x00\x00", "\x01\x00S", "\x01\x00SV\x06\x00\x63", "\x01\x02SV\x01\x00\x00"} {
		facts, err := Decode(string(record))
		if err != nil || facts.Class != abi.ClassOpaque {
			t.Errorf("%q: %v, %v", record, facts.Class, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, record := range records {
		f.Add([]byte(record))
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		facts, err := Decode(string(record))
		if err != nil {
			return
		}
		if len(facts.Title) > MaxTitle || !facts.Class.Valid() || len(facts.Each) != facts.Statements {
			t.Errorf("%+v", facts)
		}
		for _, s := range facts.Each {
			if s.Class > facts.Class {
				t.Errorf("a statement is graver than the text: %+v", facts)
			}
		}
		for _, list := range [][]string{facts.Verbs, facts.Reads, facts.Writes, facts.Functions, facts.Columns} {
			if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
				t.Errorf("not sorted or not unique: %q", list)
			}
		}
	})
}
