package pgserver

import (
	"strings"
	"testing"
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
