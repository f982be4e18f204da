package pgserver

import (
	"strings"
	"testing"
	"time"
)

func TestServer(t *testing.T) {
	s := ForTest(t, Options{Settings: map[string]string{"max_connections": "20"}})
	got, err := s.Psql(t.Context(), "postgres", "show max_connections; select 'seen by the log'")
	if err != nil || got != "20\nseen by the log" {
		t.Fatalf("psql: %q, %v", got, err)
	}
	if !strings.Contains(s.Log(), "statement: show max_connections") {
		t.Errorf("the log does not show the statement:\n%s", s.Log())
	}
}

func TestTLS(t *testing.T) {
	ca, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate, key, err := ca.Issue(time.Hour, "db.internal")
	if err != nil {
		t.Fatal(err)
	}
	s := ForTest(t, Options{Certificate: certificate, Key: key, HBA: "hostssl all secure 127.0.0.1/32 scram-sha-256\n"})
	got, err := s.Psql(t.Context(), "postgres", "show ssl; select auth_method from pg_hba_file_rules where type = 'hostssl'")
	if err != nil || got != "on\nscram-sha-256" {
		t.Fatalf("psql: %q, %v", got, err)
	}
}
