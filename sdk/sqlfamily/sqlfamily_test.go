package sqlfamily_test

import (
	"strings"
	"testing"

	clickhouse "github.com/sallyport-dev/sallyport/plugins/clickhouse/session"
	postgres "github.com/sallyport-dev/sallyport/plugins/postgres/session"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/sqlfamily"
)

// TestPlugins: the shipped plugins speak of statements in the same words.
func TestPlugins(t *testing.T) {
	families := map[string][]abi.Family{
		"clickhouse": {clickhouse.SQLFamily},
		"postgres":   new(postgres.Plugin).Manifest().Families,
	}
	for plugin, all := range families {
		found := false
		for i := range all {
			if all[i].Name == sqlfamily.Name {
				found = true
				if err := sqlfamily.Check(&all[i]); err != nil {
					t.Errorf("%s: %v", plugin, err)
				}
			}
		}
		if !found {
			t.Errorf("%s has no family sql", plugin)
		}
	}
}

func TestCheck(t *testing.T) {
	whole := abi.Family{Name: "sql", Fields: sqlfamily.Common()}
	if err := sqlfamily.Check(&whole); err != nil {
		t.Error(err)
	}
	less := abi.Family{Name: "sql", Fields: sqlfamily.Common()[1:]}
	if err := sqlfamily.Check(&less); err == nil || !strings.Contains(err.Error(), "verbs") {
		t.Error(err)
	}
	other := abi.Family{Name: "sql", Fields: sqlfamily.Common()}
	other.Fields[0].Type = abi.TypeBool
	if err := sqlfamily.Check(&other); err == nil {
		t.Error("another type passes")
	}
	if err := sqlfamily.Check(&abi.Family{Name: "http"}); err == nil {
		t.Error("another family passes")
	}
}
