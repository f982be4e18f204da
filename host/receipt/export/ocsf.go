package export

import (
	"encoding/json"

	"github.com/sallyport-dev/sallyport/host/receipt"
)

// The OCSF objects that are used, with the names of the schema. Numbers are those of its enumerations.
type (
	event struct {
		ActivityID   int             `json:"activity_id"`
		ActivityName string          `json:"activity_name"`
		CategoryUID  int             `json:"category_uid"`
		CategoryName string          `json:"category_name"`
		ClassUID     int             `json:"class_uid"`
		ClassName    string          `json:"class_name"`
		TypeUID      int             `json:"type_uid"`
		SeverityID   int             `json:"severity_id"`
		Time         int64           `json:"time"` // milliseconds
		Message      string          `json:"message"`
		StatusID     int             `json:"status_id"`
		StatusDetail string          `json:"status_detail,omitempty"`
		Metadata     metadata        `json:"metadata"`
		ActionID     *int            `json:"action_id,omitempty"`
		Disposition  *int            `json:"disposition_id,omitempty"`
		Policy       *named          `json:"policy,omitempty"`
		Actor        *actor          `json:"actor,omitempty"`
		API          *api            `json:"api,omitempty"`
		App          *product        `json:"app,omitempty"`
		Source       *endpoint       `json:"src_endpoint,omitempty"`
		Destination  *endpoint       `json:"dst_endpoint,omitempty"`
		Traffic      *traffic        `json:"traffic,omitempty"`
		RawData      string          `json:"raw_data"`
		Unmapped     json.RawMessage `json:"unmapped,omitempty"`
	}
	metadata struct {
		Version        string   `json:"version"`
		Product        product  `json:"product"`
		Profiles       []string `json:"profiles,omitempty"`
		UID            string   `json:"uid"`
		CorrelationUID string   `json:"correlation_uid,omitempty"`
		LogName        string   `json:"log_name"`
		OriginalTime   string   `json:"original_time"`
		Sequence       uint64   `json:"sequence"`
	}
	product struct {
		Name       string `json:"name"`
		VendorName string `json:"vendor_name"`
		Version    string `json:"version,omitempty"`
	}
	named struct {
		Name string `json:"name,omitempty"`
		UID  string `json:"uid,omitempty"`
	}
	actor struct {
		User    named  `json:"user"`
		Session *named `json:"session,omitempty"`
	}
	api struct {
		Operation string `json:"operation"`
		Service   *named `json:"service,omitempty"`
		Request   *named `json:"request,omitempty"`
	}
	endpoint struct {
		Name string `json:"name"`
	}
	traffic struct {
		BytesIn  uint64 `json:"bytes_in"`
		BytesOut uint64 `json:"bytes_out"`
		Bytes    uint64 `json:"bytes"`
	}
)

const (
	schema       = "1.3.0"
	networkClass = 4001
	appClass     = 6002
	apiClass     = 6003
	other        = 99
)

// ocsf is the event of a record, nil for those that are left out.
func ocsf(e *receipt.Entry, version string) any {
	if !about(e.Kind) {
		return nil
	}
	sallyport := product{"Sallyport", "Sallyport", version}
	v := &event{SeverityID: grave(e), Time: at(e).UnixMilli(), Message: message(e), StatusID: 1, StatusDetail: e.Reason, RawData: string(e.Raw),
		Metadata: metadata{Version: schema, Product: sallyport, UID: e.ID, CorrelationUID: first(e.Hold, e.Parent, e.Conn), LogName: "receipts", OriginalTime: e.Time, Sequence: e.Seq}}
	if e.Outcome != "" {
		v.outcome(e)
	}
	switch e.Kind {
	case receipt.Start, receipt.Stop, receipt.Reload:
		v.class(6, "Application Activity", appClass, "Application Lifecycle")
		v.activity(map[receipt.Kind]int{receipt.Start: 3, receipt.Stop: 4, receipt.Reload: other}[e.Kind],
			map[receipt.Kind]string{receipt.Start: "Start", receipt.Stop: "Stop", receipt.Reload: "Reload"}[e.Kind])
		v.App = &sallyport
	case receipt.End, receipt.Refused:
		v.class(4, "Network Activity", networkClass, "Network Activity")
		v.network(e)
	default:
		v.class(6, "Application Activity", apiClass, "API Activity")
		v.api(e)
	}
	v.Unmapped = unmapped(e)
	return v
}

func (v *event) class(category int, categoryName string, class int, className string) {
	v.CategoryUID, v.CategoryName, v.ClassUID, v.ClassName = category, categoryName, class, className
}

func (v *event) activity(id int, name string) {
	v.ActivityID, v.ActivityName, v.TypeUID = id, name, v.ClassUID*100+id
}

// network is the end of a connection, or one that was refused.
func (v *event) network(e *receipt.Entry) {
	v.Source = &endpoint{e.Peer}
	v.Actor = who(e)
	switch {
	case e.Kind == receipt.Refused:
		v.activity(5, "Refuse")
		v.Destination = &endpoint{e.Target}
		return
	case e.Outcome == receipt.OutcomeFailClosed:
		v.activity(3, "Reset")
	default:
		v.activity(2, "Close")
	}
	v.Destination = &endpoint{e.Endpoint}
	v.Traffic = &traffic{BytesIn: e.Down, BytesOut: e.Up, Bytes: e.Up + e.Down}
}

// activities of API Activity by the class of an action.
var activities = map[string]struct {
	id   int
	name string
}{"read": {2, "Read"}, "write": {3, "Update"}, "delete": {4, "Delete"}}

func (v *event) api(e *receipt.Entry) {
	v.Source, v.Destination, v.Actor = &endpoint{e.Peer}, &endpoint{e.Endpoint}, who(e)
	v.API = &api{Operation: first(e.Title, e.Family, string(e.Kind)), Service: &named{Name: e.Endpoint}, Request: &named{UID: e.ID}}
	a, ok := activities[e.Class]
	switch {
	case ok:
		v.activity(a.id, a.name)
	case e.Class != "":
		v.activity(other, e.Class)
	case e.Kind == receipt.HoldEnd:
		v.activity(other, "Hold ended")
	default:
		v.activity(other, "Result")
	}
}

func who(e *receipt.Entry) *actor {
	a := &actor{User: named{Name: e.Peer}}
	if e.Conn != "" {
		a.Session = &named{UID: e.Conn}
	}
	return a
}

// outcome fills in the profile security_control: action_id 1 allowed, 2 denied; disposition_id 1 allowed, 2 blocked, 8 approved,
// 14 delayed, 15 detected, 19 alert, 25 rejected.
func (v *event) outcome(e *receipt.Entry) {
	action, disposition := 2, 2
	switch e.Outcome {
	case receipt.OutcomeAllow, receipt.OutcomeJudgedAllow:
		action, disposition = 1, 1
	case receipt.OutcomeApproved, receipt.OutcomeGranted:
		action, disposition = 1, 8
	case receipt.OutcomeWouldDeny, receipt.OutcomeWouldHold, receipt.OutcomeWouldJudge:
		action, disposition = 1, 15
	case receipt.OutcomeHeld:
		action, disposition = 0, 14
	case receipt.OutcomeMismatch:
		action, disposition = 0, 19
	case receipt.OutcomeRejected:
		disposition = 25
	}
	if action == 2 || e.Outcome == receipt.OutcomeMismatch {
		v.StatusID = 2
	}
	v.ActionID, v.Disposition = &action, &disposition
	v.Metadata.Profiles = []string{"security_control"}
	if e.Rule != "" || e.Policy != "" {
		v.Policy = &named{Name: e.Rule, UID: e.Policy}
	}
}

// mapped are the members of a receipt that the event has in places of its own, or that only its chain needs.
var mapped = []string{"_hash", "_prev", "seq", "id", "time", "peer", "endpoint", "reason", "title", "policy", "rule", "conn", "up", "down"}

// unmapped are the others, as they are.
func unmapped(e *receipt.Entry) json.RawMessage {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(e.Raw, &all); err != nil {
		return nil
	}
	for _, m := range mapped {
		delete(all, m)
	}
	b, err := json.Marshal(all)
	if err != nil {
		return nil
	}
	return b
}

func first(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}
