package http_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/session"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestPaths has requests that are no statements, and requests that look like one of those: 18.16 runs what stands in GET /ping?query=… and
// in the body of POST /ping.
func TestPaths(t *testing.T) {
	for _, test := range []struct {
		request string
		class   abi.Class
	}{
		{"GET / HTTP/1.1\r\n", abi.ClassSession},
		{"GET /ping HTTP/1.1\r\n", abi.ClassSession},
		{"HEAD /ping HTTP/1.1\r\nContent-Length: 0\r\n", abi.ClassSession},
		{"GET /replicas_status HTTP/1.1\r\n", abi.ClassRead},

		{"GET /ping?query=DROP+TABLE+t HTTP/1.1\r\n", abi.ClassOpaque},
		{"GET /ping? HTTP/1.1\r\n", abi.ClassOpaque},
		{"GET /ping?max_threads=1 HTTP/1.1\r\n", abi.ClassOpaque},
		{"POST /ping HTTP/1.1\r\nContent-Length: 12\r\n\r\nDROP TABLE t", abi.ClassOpaque},
		{"POST /ping HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nC\r\nDROP TABLE t\r\n0\r\n", abi.ClassOpaque},
		{"GET /ping HTTP/1.1\r\nContent-Length: 12\r\n\r\nDROP TABLE t", abi.ClassOpaque},
		{"POST /ping HTTP/1.1\r\nContent-Length: 0\r\n", abi.ClassOpaque},
		{"GET /replicas_status?query=DROP+TABLE+t HTTP/1.1\r\n", abi.ClassOpaque},
		{"POST /replicas_status?query=DROP+TABLE+t HTTP/1.1\r\nContent-Length: 0\r\n", abi.ClassOpaque},
		{"POST /replicas_status HTTP/1.1\r\nContent-Length: 12\r\n\r\nDROP TABLE t", abi.ClassOpaque},
	} {
		g := opened(t, abi.Attribute{Name: "database", Value: "d"})
		end := "Host: h\r\n\r\n"
		if head, body, found := bytes.Cut([]byte(test.request), []byte("\r\n\r\n")); found {
			end = "\r\nHost: h\r\n\r\n" + string(body)
			if bytes.Contains(head, []byte("chunked")) {
				end += "\r\n"
			}
			test.request = string(head)
		}
		g.Send(abi.Agent, []byte(test.request+end))
		asks := g.Transcript().Asks()
		if len(asks) != 2 || asks[1].Action.Class != test.class {
			t.Errorf("%q: %d questions, %v", test.request, len(asks), g.Transcript().End())
			continue
		}
		if got := g.Transcript().Gets(abi.Upstream); test.class == abi.ClassSession && bytes.Contains(got, []byte("?")) {
			t.Errorf("%q: the server gets %q", test.request, got)
		}
	}
}

// TestReadonly has the methods by which a server changes nothing: 18.16 runs HEAD /?query=CREATE… as it is.
func TestReadonly(t *testing.T) {
	field := slices.IndexFunc(session.SQLFamily.Fields, func(f abi.Field) bool { return f.Name == "readonly" })
	for method, want := range map[string]bool{"GET": true, "HEAD": false, "POST": false} {
		g := opened(t)
		g.Send(abi.Agent, []byte(method+" /?query=CREATE+TABLE+t+AS+u HTTP/1.1\r\nHost: h\r\n\r\n"))
		if asks := g.Transcript().Asks(); len(asks) != 2 || asks[1].Action.Values[field].Bool != want {
			t.Errorf("%s: %d questions", method, len(asks))
		}
	}
}
