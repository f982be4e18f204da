package http_test

import (
	"fmt"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestForms has forms that servers read otherwise than they look: 18.16 runs a statement, or takes a setting, that stands in what looks like a
// file. Their twins are ordinary.
func TestForms(t *testing.T) {
	const form = "multipart/form-data; boundary=b"
	const file = "Content-Disposition: form-data; name=\"t\"; filename=\"f\"\r\n\r\n"
	const field = "Content-Disposition: form-data; name=\"max_threads\"\r\n\r\n7"
	const whole = "--b\r\n" + file + "1\r\n--b--\r\n"
	const query = "query=SELECT+*+FROM+t&t_structure=a+String"
	for _, test := range []struct {
		name, url, media, body string
		class                  abi.Class
	}{
		{"a file", query, form, whole, abi.ClassRead},
		{"a quoted boundary", query, `multipart/form-data; charset=utf-8; boundary="b"`, whole, abi.ClassRead},
		{"the data of a file", query, form, "--b\r\n" + file + "--a\n--\n\r\n--b--\r\n", abi.ClassRead},
		{"a field", query, form, "--b\r\n" + file + "1\r\n--b\r\n" + field + "\r\n--b--\r\n", abi.ClassRead},
		{"a further line", query, form, "--b\r\nContent-Type: text/plain\r\n" + file + "1\r\n--b--\r\n", abi.ClassRead},
		{"the query in a form", "", form, "--b\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT 2\r\n--b--\r\n", abi.ClassRead},
		{"rows in CSV", query + "&t_format=CSV", form, whole, abi.ClassRead},

		{"rows that are evaluated", query + "&t_format=Values", form, whole, abi.ClassOpaque},
		{"the same in lower case", query + "&T_FORMAT=values", form, whole, abi.ClassOpaque},
		{"no form, so a text", "query=SELECT+*", "multipart/mixed; boundary=b", "--b\r\nFROM url('http://h/') /*\r\n" + file + "*/\r\n--b--\r\n", abi.ClassOpaque},
		{"no form for some", "query=SELECT+*", "Multipart/Form-Data; boundary=b", "--b\r\nFROM url('http://h/') /*\r\n" + file + "*/\r\n--b--\r\n", abi.ClassOpaque},
		{"two queries", "query=DROP+TABLE+t+--", form, "--b\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT 2\r\n--b--\r\n", abi.ClassOpaque},
		{"a line feed before a boundary", query, form, "--b\r\n" + file + "1\n--b\r\n" + field + "\r\n--b--\r\n", abi.ClassOpaque},
		{"a line feed in a head", query, form, "--b\r\nX: y\nContent-Disposition: form-data; name=\"max_threads\"\r\n" + file + "7\r\n--b--\r\n", abi.ClassOpaque},
		{"a line that goes on", query, form, "--b\r\nX: y\r\n " + file + "7\r\n--b--\r\n", abi.ClassOpaque},
		{"two names", query, form, "--b\r\nContent-Disposition: form-data; name=\"max_threads\"; name=\"query_id\"\r\n\r\n7\r\n--b--\r\n", abi.ClassOpaque},
		{"a boundary with an escape", query, `multipart/form-data; boundary="a\"b"`, "--a\\\"b\r\n" + file + "1\r\n--a\"b\r\n" + field + "\r\n--a\"b--\r\n--a\\\"b--\r\n", abi.ClassOpaque},
		{"two boundaries", query, form + "; boundary=c", whole, abi.ClassOpaque},
	} {
		g := opened(t)
		g.Send(abi.Agent, fmt.Appendf(nil, "POST /?%s HTTP/1.1\r\nHost: h\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", test.url, test.media, len(test.body), test.body))
		asks := g.Transcript().Asks()
		if len(asks) != 2 || asks[1].Action.Class != test.class {
			t.Errorf("%s: %d questions, %q", test.name, len(asks), g.Transcript().End())
			if len(asks) == 2 {
				t.Errorf("class %v: %s", asks[1].Action.Class, asks[1].Action.Title)
			}
		}
	}
}
