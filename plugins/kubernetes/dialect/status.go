package dialect

import (
	"strings"

	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/kubernetes/request"
)

// aboutOf is what a denial of the request says of it: group, resource and name, or what is wrong with it.
func aboutOf(r *request.Request, name string) string {
	if r.Problem != "" || r.Resource == "" {
		return r.Problem
	}
	resource := r.Resource
	if r.Subresource != "" {
		resource += "/" + r.Subresource
	}
	if r.Name != "" {
		name = r.Name
	}
	return r.Group + "\x00" + resource + "\x00" + name
}

// Answer writes the object Status (v1), as the server does where it refuses something.
func (*Dialect) Answer(b []byte, a *facts.Answer) (body []byte, kind string) {
	var problem, resource, name string
	group, rest, understood := strings.Cut(a.About, "\x00")
	if understood {
		resource, name, _ = strings.Cut(rest, "\x00")
	} else {
		problem, group = group, ""
	}
	b = append(b, `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":`...)
	b = facts.AppendJSON(b, message(a, problem, group, resource, name))
	b = append(b, `,"reason":"`...)
	b = append(b, reason(a.Status)...)
	b = append(b, `","details":{`...)
	first := true
	member := func(key, value string) {
		if value == "" {
			return
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(append(b, '"'), key...), `":`...)
		b = facts.AppendJSON(b, value)
	}
	member("name", name)
	member("group", group)
	member("kind", strings.TrimSuffix(resource, "/"))
	causes := 0
	for _, c := range [...]struct{ reason, text string }{{"SallyportRule", a.Rule}, {"SallyportReceipt", a.Receipt}, {"SallyportHold", a.Hold}} {
		if c.text == "" {
			continue
		}
		switch {
		case causes > 0:
			b = append(b, ',')
		case !first:
			b = append(b, `,"causes":[`...)
		default:
			b = append(b, `"causes":[`...)
		}
		causes++
		b = append(append(append(b, `{"reason":"`...), c.reason...), `","message":`...)
		b = append(facts.AppendJSON(b, c.text), '}')
	}
	if causes > 0 {
		b = append(b, ']')
	}
	b = append(b, `},"code":`...)
	b = append(b, byte('0'+a.Status/100), byte('0'+a.Status/10%10), byte('0'+a.Status%10))
	return append(b, "}\n"...), "application/json"
}

// maxReason is how much of a reason goes into a message, in bytes: what stands behind it has room in any case.
const maxReason = 512

// message is what kubectl shows behind "Error from server (Forbidden):".
func message(a *facts.Answer, problem, group, resource, name string) string {
	var b strings.Builder
	if problem != "" {
		b.WriteString(problem + ": ")
	}
	if a.Status == 403 && resource != "" {
		b.WriteString(resource)
		if group != "" {
			b.WriteString("." + group)
		}
		if name != "" {
			b.WriteString(` "` + name + `"`)
		}
		b.WriteString(" is forbidden: ")
	}
	if a.Detail != "" {
		b.WriteString(a.Detail[:min(len(a.Detail), maxReason)])
	} else {
		b.WriteString(a.Title)
	}
	notes := ""
	for _, n := range [...]struct{ word, text string }{{"rule ", a.Rule}, {"receipt ", a.Receipt}, {"hold ", a.Hold}} {
		if n.text != "" {
			notes += ", " + n.word + n.text
		}
	}
	if notes != "" {
		b.WriteString(" (" + notes[2:] + ")")
	}
	return b.String()
}

// reason is metav1.StatusReason for a status.
func reason(status int) string {
	switch status {
	case 400, 414, 431, 421:
		return "BadRequest"
	case 403:
		return "Forbidden"
	case 413:
		return "RequestEntityTooLarge"
	case 502:
		return "InternalError"
	case 503:
		return "ServiceUnavailable"
	}
	return "Unknown"
}
