package secret

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// TestSignedWritten: a signature comes out of real parsers as it went in, whichever way it is written.
func TestSignedWritten(t *testing.T) {
	l := awsLogin(t, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "s3")
	for _, token := range []string{"", "t", strings.Repeat("t", 126), strings.Repeat("t", 127), strings.Repeat("t", 300), strings.Repeat("t", 8<<10)} {
		l.Token = secretOf(t, token)
		if token == "" {
			l.Token = Secret{}
		}
		r, err := ParseRequest([]byte("PUT\nb.s3.amazonaws.com\n/k\nSTREAMING-UNSIGNED-PAYLOAD-TRAILER\nx-amz-trailer:x-amz-checksum-crc32\n"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := formOf(t, "aws-sigv4").Sign(l, r, time.Unix(1700000000, 0))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(s.AppendFields(nil)), "\r\n")
		frame, err := s.AppendFrame([]byte("before"), 7)
		if err != nil {
			t.Fatal(err)
		}
		// Another frame must begin the block, or the framer takes it for a mistake.
		f := http2.NewFramer(nil, strings.NewReader("\x00\x00\x00\x01\x00\x00\x00\x00\x07"+string(frame[len("before"):])))
		if _, err := f.ReadFrame(); err != nil {
			t.Fatal(err)
		}
		read, err := f.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		c, ok := read.(*http2.ContinuationFrame)
		if !ok || !c.HeadersEnded() || c.StreamID != 7 {
			t.Fatalf("%v", read)
		}
		i := 0
		d := hpack.NewDecoder(4096, func(h hpack.HeaderField) {
			if h.Name != s.Names()[i] || h.Value != string(s.Value(i)) || !h.Sensitive || lines[i] != h.Name+": "+h.Value {
				t.Errorf("field %d: %v, line %q", i, h, lines[i])
			}
			i++
		})
		if _, err := d.Write(c.HeaderBlockFragment()); err != nil || d.Close() != nil || i != len(s.Names()) || len(lines) != i+1 {
			t.Errorf("%d of %d fields, %d lines, %v", i, len(s.Names()), len(lines), err)
		}
	}
	l.Token = secretOf(t, strings.Repeat("t", 17<<10))
	r := &Request{Method: "GET", Authority: "h", Target: "/", BodyHash: UnsignedPayload}
	s, err := formOf(t, "aws-sigv4").Sign(l, r, time.Unix(1700000000, 0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AppendFrame(nil, 1); err == nil {
		t.Error("a frame of more than 16 KiB")
	}
	// What S3 has for chunks that are signed each cannot be signed here.
	if _, err := ParseRequest([]byte("PUT\nh\n/\nSTREAMING-AWS4-HMAC-SHA256-PAYLOAD\n")); err == nil {
		t.Error("signed chunks")
	}
}
