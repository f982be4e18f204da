// Package export writes receipts in the formats of others: OCSF events and OpenTelemetry logs, one JSON object on a line.
//
// # OCSF
//
// Events are of version 1.3.0 of the Open Cybersecurity Schema Framework. Decisions, the ends of holds and notes are API Activity
// (6003) with the profile security_control, ends of connections and refusals Network Activity (4001), and starts, stops and reloads of
// the gateway Application Lifecycle (6002). The receipt itself is in raw_data, and what has no place of its own in unmapped.
//
// # OpenTelemetry
//
// Each line is a LogsData message of OTLP 1 in its JSON encoding with one log record, as the file exporter's specification has it. The
// body is the readable line, the attributes begin with "sallyport.".
//
// Records that the log writes about itself (genesis, checkpoint and so on) are left out of both: they mean something in their
// chain only.
package export

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sallyport-dev/sallyport/host/receipt"
)

// Format writes one record. Those that it leaves out are no error.
type Format func(w io.Writer, e *receipt.Entry) error

// Formats are the names of the formats.
func Formats() []string { return []string{"ocsf", "otel"} }

// ByName finds a format.
func ByName(name, version string) (Format, error) {
	switch name {
	case "ocsf":
		return func(w io.Writer, e *receipt.Entry) error { return write(w, ocsf(e, version)) }, nil
	case "otel":
		return func(w io.Writer, e *receipt.Entry) error { return write(w, otel(e, version)) }, nil
	}
	return nil, fmt.Errorf("unknown format %q; there are %s", name, strings.Join(Formats(), " and "))
}

func write(w io.Writer, event any) error {
	if event == nil {
		return nil
	}
	b, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// grave is how much a record matters: 1 for what is as it should be, 2 for what would have been stopped or waits, 3 for what was
// stopped, 4 for what failed.
func grave(e *receipt.Entry) int {
	switch e.Outcome {
	case receipt.OutcomeFailClosed, receipt.OutcomeMismatch:
		return 4
	case receipt.OutcomeDeny, receipt.OutcomeRejected, receipt.OutcomeJudgedDeny:
		return 3
	case receipt.OutcomeHeld, receipt.OutcomeExpired, receipt.OutcomeWithdrawn, receipt.OutcomeWouldDeny, receipt.OutcomeWouldHold, receipt.OutcomeWouldJudge:
		return 2
	}
	if len(e.WouldDeny) > 0 || len(e.WouldHold) > 0 || len(e.WouldJudge) > 0 {
		return 2
	}
	return 1
}

// about reports whether a record is about what agents do or the gateway is, and not about the log.
func about(k receipt.Kind) bool {
	switch k {
	case receipt.Decision, receipt.HoldEnd, receipt.Note, receipt.End, receipt.Refused, receipt.Start, receipt.Reload, receipt.Stop:
		return true
	}
	return false
}

// message is the readable line without its time.
func message(e *receipt.Entry) string {
	_, rest, _ := strings.Cut(receipt.Line(e, false), "  ")
	return rest
}

// at is the time of a record.
func at(e *receipt.Entry) time.Time {
	t, err := time.Parse(time.RFC3339Nano, e.Time)
	if err != nil {
		return time.Unix(0, 0)
	}
	return t
}
