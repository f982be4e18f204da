package main

import (
	"testing"
	"time"
)

func TestZZ(t *testing.T) {
	path := writePolicy(t, "")
	for range 4 {
		at := time.Now()
		call(t, "rules", path)
		t.Log(time.Since(at))
	}
}
