package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// entries are a record of each kind.
func entries(t testing.TB) []*receipt.Entry {
	t.Helper()
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	l, err := receipt.Open(path, receipt.Options{KeyFile: path + ".key"})
	if err != nil {
		t.Fatal(err)
	}
	f := &abi.Family{Name: "sql", Fields: []abi.Field{{Name: "text", Type: abi.TypeString}, {Name: "bounded", Type: abi.TypeBool},
		{Name: "statements", Type: abi.TypeInt}, {Name: "writes", Type: abi.TypeStrings}}}
	at := time.Date(2026, 11, 22, 12, 0, 0, 123456000, time.UTC)
	decision := func(o receipt.Outcome, c abi.Class) *receipt.Record {
		return &receipt.Record{Kind: receipt.Decision, Time: at, Conn: "c1", ActionID: 7, Peer: "claude", Profile: "dev", Endpoint: "prod-db", Plugin: "postgres", PluginDigest: "00",
			Action:  &abi.Action{Family: f, Class: c, Title: "delete from users", Values: []abi.Value{{Known: true, Str: "DELETE \"\n"}, {Known: true}, {Known: true, Int: 2}, {Known: true, List: []string{"users"}}}},
			Outcome: o, Rule: "no deletes", Reason: "ask first", Policy: "abcd"}
	}
	for _, r := range []*receipt.Record{
		{Kind: receipt.Start, Time: at, Policy: "abcd", Detail: "v1"},
		decision(receipt.OutcomeAllow, abi.ClassRead), decision(receipt.OutcomeDeny, abi.ClassDelete), decision(receipt.OutcomeHeld, abi.ClassWrite),
		decision(receipt.OutcomeFailClosed, abi.ClassOpaque), decision(receipt.OutcomeWouldDeny, abi.ClassAdmin),
		{Kind: receipt.HoldEnd, Time: at, Parent: "x-1", Hold: "h1", Peer: "claude", Endpoint: "prod-db", Outcome: receipt.OutcomeRejected, By: []string{"ann"}},
		{Kind: receipt.Note, Time: at, Parent: "x-1", Peer: "claude", Endpoint: "prod-db", Pairs: []string{"tag", "DELETE 4", "mismatch", "more"}},
		{Kind: receipt.End, Time: at, Conn: "c1", Peer: "claude", Endpoint: "prod-db", Up: 10, Down: 20},
		{Kind: receipt.End, Time: at, Conn: "c1", Peer: "claude", Endpoint: "prod-db", FailClosed: true, Reason: "a trap"},
		{Kind: receipt.Refused, Time: at, Peer: "claude", Target: "10.0.0.1:22", Outcome: receipt.OutcomeDeny, Reason: "no endpoint"},
		{Kind: receipt.Reload, Time: at}, {Kind: receipt.Stop, Time: at, Reason: "asked to stop"},
	} {
		if _, err := l.Append(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var all []*receipt.Entry
	for e, err := range receipt.Read(path, receipt.ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// exported writes all in a format and reads it again.
func exported(t *testing.T, format string) []map[string]any {
	t.Helper()
	write, err := ByName(format, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, e := range entries(t) {
		if err := write(&b, e); err != nil {
			t.Fatal(err)
		}
	}
	var all []map[string]any
	for line := range strings.Lines(b.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, m)
	}
	return all
}

// at is what stands at a place such as "metadata.uid" or "resourceLogs.0.resource".
func in(t *testing.T, v any, place string) any {
	t.Helper()
	for p := range strings.SplitSeq(place, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[p]
		case []any:
			i, err := strconv.Atoi(p)
			if err != nil || i >= len(x) {
				t.Fatalf("%s: nothing at %s", place, p)
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func TestOCSF(t *testing.T) {
	all := exported(t, "ocsf")
	// The numbers are those of the schema's version 1.3.0.
	want := []struct {
		class, activity, severity, status int
		action, disposition               string // "<nil>": no profile
	}{
		{6002, 3, 1, 1, "<nil>", "<nil>"}, // start
		{6003, 2, 1, 1, "1", "1"}, {6003, 4, 3, 2, "2", "2"}, {6003, 3, 2, 1, "0", "14"}, {6003, 99, 4, 2, "2", "2"}, {6003, 99, 2, 1, "1", "15"},
		{6003, 99, 3, 2, "2", "25"}, // hold_end
		{6003, 99, 4, 2, "0", "19"}, // note: a mismatch
		{4001, 2, 1, 1, "<nil>", "<nil>"}, {4001, 3, 4, 2, "2", "2"}, {4001, 5, 3, 2, "2", "2"},
		{6002, 99, 1, 1, "<nil>", "<nil>"}, {6002, 4, 1, 1, "<nil>", "<nil>"},
	}
	if len(all) != len(want) {
		t.Fatalf("%d events, want %d", len(all), len(want))
	}
	for i, m := range all {
		w := want[i]
		got := fmt.Sprintln(m["class_uid"], m["activity_id"], m["severity_id"], m["status_id"], m["action_id"], m["disposition_id"])
		if got != fmt.Sprintln(w.class, w.activity, w.severity, w.status, w.action, w.disposition) {
			t.Errorf("event %d: %s, want %v", i, got, w)
		}
		if m["type_uid"] != float64(w.class*100+w.activity) || m["category_uid"] != float64(w.class/1000) || m["time"] != float64(1795348800123) {
			t.Errorf("event %d: type %v, category %v, time %v", i, m["type_uid"], m["category_uid"], m["time"])
		}
		// What the schema requires, of every event and of each class.
		required := []string{"activity_name", "category_name", "class_name", "message", "metadata.version", "metadata.product.vendor_name", "metadata.uid", "raw_data", "unmapped.kind"}
		switch w.class {
		case 6003:
			required = append(required, "actor.user.name", "api.operation", "src_endpoint.name", "dst_endpoint.name")
		case 4001:
			required = append(required, "src_endpoint.name", "dst_endpoint.name")
		case 6002:
			required = append(required, "app.name", "app.vendor_name")
		}
		for _, r := range required {
			if s, ok := in(t, m, r).(string); !ok || s == "" {
				t.Errorf("event %d of class %d has no %s", i, w.class, r)
			}
		}
		if profile := in(t, m, "metadata.profiles.0"); w.action != "<nil>" && profile != "security_control" {
			t.Errorf("event %d: the profile is %v", i, profile)
		}
	}
	m := all[2]
	for place, want := range map[string]any{"actor.user.name": "claude", "actor.session.uid": "c1", "dst_endpoint.name": "prod-db", "api.operation": "delete from users",
		"policy.name": "no deletes", "policy.uid": "abcd", "status_detail": "ask first", "unmapped.fields.text": "DELETE \"\n", "metadata.correlation_uid": "c1"} {
		if got := in(t, m, place); got != want {
			t.Errorf("%s is %v, want %v", place, got, want)
		}
	}
	if in(t, all[8], "traffic.bytes_out") != 10.0 || in(t, all[8], "traffic.bytes_in") != 20.0 || in(t, all[10], "dst_endpoint.name") != "10.0.0.1:22" {
		t.Errorf("%v\n%v", all[8], all[10])
	}
}

func TestOpenTelemetry(t *testing.T) {
	all := exported(t, "otel")
	if len(all) != 13 {
		t.Fatalf("%d logs", len(all))
	}
	const record = "resourceLogs.0.scopeLogs.0.logRecords.0."
	for i, m := range all {
		if in(t, m, "resourceLogs.0.resource.attributes.0.key") != "service.name" || in(t, m, "resourceLogs.0.scopeLogs.0.scope.name") != "sallyport.receipts" ||
			in(t, m, record+"timeUnixNano") != "1795348800123456000" || in(t, m, record+"body.stringValue") == nil {
			t.Errorf("log %d: %v", i, m)
		}
	}
	m := all[2]
	attributes := map[string]any{}
	for _, a := range in(t, m, record+"attributes").([]any) {
		key := in(t, a, "key").(string)
		if _, twice := attributes[key]; twice {
			t.Errorf("the attribute %s is there twice", key)
		}
		attributes[key] = in(t, a, "value")
	}
	for key, want := range map[string]string{"sallyport.outcome": `{"stringValue":"deny"}`, "sallyport.peer": `{"stringValue":"claude"}`, "sallyport.fields.bounded": `{"boolValue":false}`,
		"sallyport.fields.statements": `{"intValue":"2"}`, "sallyport.fields.writes": `{"arrayValue":{"values":[{"stringValue":"users"}]}}`, "sallyport.seq": `{"intValue":"3"}`} {
		b, err := json.Marshal(attributes[key])
		if err != nil || string(b) != want {
			t.Errorf("%s is %s, want %s", key, b, want)
		}
	}
	if in(t, m, record+"severityNumber") != 13.0 || in(t, m, record+"severityText") != "WARN" || in(t, m, record+"eventName") != "sallyport.decision" {
		t.Errorf("%v", m)
	}
	for i, want := range map[int]float64{1: 9, 3: 10, 4: 17} {
		if got := in(t, all[i], record+"severityNumber"); got != want {
			t.Errorf("log %d has severity %v, want %v", i, got, want)
		}
	}
}

func TestByName(t *testing.T) {
	for _, name := range Formats() {
		if _, err := ByName(name, ""); err != nil {
			t.Error(err)
		}
	}
	if _, err := ByName("cef", ""); err == nil || !strings.Contains(err.Error(), "ocsf and otel") {
		t.Errorf("%v", err)
	}
}

// FuzzExport writes what any line of a file is read as: one line of JSON, or nothing.
func FuzzExport(f *testing.F) {
	for _, e := range entries(f) {
		f.Add(e.Raw)
	}
	f.Add([]byte(`{"id":"a","kind":"decision","fields":{"a":[1.5,{"b":null}],"c":1e400,"d":{"e":true}},"needs":[{"rule":"x"}],"time":"x"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var e receipt.Entry
		if json.Unmarshal(raw, &e) != nil {
			return
		}
		e.Raw = raw
		for _, name := range Formats() {
			write, err := ByName(name, "")
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := write(&b, &e); err != nil {
				t.Fatal(err)
			}
			if line := b.Bytes(); len(line) > 0 && (!json.Valid(line) || bytes.Count(line, []byte("\n")) != 1) {
				t.Fatalf("%q", line)
			}
		}
	})
}
