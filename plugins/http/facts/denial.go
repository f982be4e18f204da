package facts

import "github.com/sallyport-dev/sallyport/sdk/abi"

// Answer is what the gateway says itself, as a problem document (RFC 9457).
type Answer struct {
	Status              int
	Title, Detail       string
	Rule, Receipt, Hold string
	About               string // what a Dialect said of the request
}

// maxDetail is how much of a text goes into a problem document, in bytes.
const maxDetail = 1 << 10

// AppendProblem appends the document.
func AppendProblem(b []byte, a *Answer) []byte {
	b = append(b, `{"type":"about:blank","title":`...)
	b = AppendJSON(b, a.Title)
	b = append(b, `,"status":`...)
	b = append(b, byte('0'+a.Status/100), byte('0'+a.Status/10%10), byte('0'+a.Status%10))
	for _, m := range [...]struct{ name, value string }{{"detail", a.Detail}, {"rule", a.Rule}, {"receipt", a.Receipt}, {"hold", a.Hold}} {
		if m.value != "" {
			b = append(append(append(b, `,"`...), m.name...), `":`...)
			b = AppendJSON(b, m.value)
		}
	}
	return append(b, "}\n"...)
}

const hexDigits = "0123456789abcdef"

// AppendJSON appends s as a JSON string of at most 1024 characters. Control characters are escaped; what is no UTF-8 becomes U+FFFD.
func AppendJSON(b []byte, s string) []byte {
	b = append(b, '"')
	n := 0
	for _, r := range s {
		if n++; n > maxDetail {
			break
		}
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ' || r == 0x7f:
			b = append(b, `\u00`...)
			b = append(b, hexDigits[r>>4], hexDigits[r&15])
		default:
			b = append(b, string(r)...)
		}
	}
	return append(b, '"')
}

// Withheld is the answer in place of one that was asked about and denied: the request was carried out, so nobody should send it again because of that.
func Withheld(e *abi.Event) *Answer {
	reason := e.Reason
	if reason == "" {
		reason = "denied by sallyport"
	}
	return &Answer{Status: 403, Title: "Forbidden", Detail: "the request was carried out, and its response is withheld: " + reason, Rule: e.Rule, Receipt: e.Receipt}
}
