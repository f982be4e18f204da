package h2_test

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// frame is DATA as it stands on the wire.
func frame(flags byte, stream uint32, reserved bool, payload string) []byte {
	b := []byte{0, 0, byte(len(payload)), 0, flags, 0, 0, 0, byte(stream)}
	if reserved {
		b[5] = 0x80
	}
	return append(b, payload...)
}

// TestDataGoesOn: DATA that is the same on both sides goes on in one piece, several frames together; of any other one the head is written anew, without flags that
// nobody has defined, the reserved bit (section 4.1) and padding, and with the number that the stream has there.
func TestDataGoesOn(t *testing.T) {
	plain := bytes.Join([][]byte{frame(0, 1, false, "first"), frame(0, 1, false, "second")}, nil)
	odd := bytes.Join([][]byte{frame(0x40, 1, false, "flags"), frame(0, 1, true, "bit"), frame(0x8, 1, false, "\x02padded\x00\x00"), frame(0, 1, false, "")}, nil)
	mended := bytes.Join([][]byte{frame(0, 1, false, "flags"), frame(0, 1, false, "bit"), frame(0, 1, false, "padded")}, nil)
	last := frame(1, 1, false, "last")
	s := &scene{
		decide: deny("GET api/denied"),
		steps: append(begin(),
			agent(newWire().headers(1, false, request("POST", "/a")...), "?"),
			agent(newWire().raw(plain), "?"), agent(newWire().raw(odd), "?"), agent(newWire().raw(last), "?"),
			upstream(newWire().headers(1, false, ":status: 200"), "?"),
			upstream(newWire().raw(plain), "?"), upstream(newWire().raw(odd), "?"), upstream(newWire().raw(last), "?"),
			agent(newWire().headers(3, true, request("GET", "/denied")...), "?"), // the server never hears of it
			agent(newWire().headers(5, false, request("POST", "/b")...), "?"),
			agent(newWire().raw(frame(1, 5, false, "five")), "?"),
			upstream(newWire().headers(3, false, ":status: 200").raw(frame(1, 3, false, "three")), "?"),
		)}
	looking := *s // answers can be looked at, and these are not
	looking.answers = func(*drygate.Entry) drygate.Verdict {
		t.Error("an answer is looked at")
		return drygate.Verdict{}
	}
	nativeEach(t, func(tr drygate.Transcript) {
		for _, side := range []abi.Side{abi.Agent, abi.Upstream} {
			all := tr.Gets(side)
			if want := bytes.Join([][]byte{plain, mended, last}, nil); !bytes.Contains(withoutOthers(t, all), want) {
				t.Errorf("the %v gets %q, without %q", side, all, want)
			}
			other := frame(1, 5, false, "three")
			if side == abi.Upstream {
				other = frame(1, 3, false, "five")
			}
			if !bytes.Contains(all, other) {
				t.Errorf("the %v gets %q, without %q", side, all, other)
			}
			whole := false
			for i := range tr {
				whole = whole || tr[i].Kind == drygate.Gets && tr[i].Side == side && bytes.Equal(tr[i].Bytes, plain)
			}
			if !whole {
				t.Errorf("what the %v gets of %q is not one piece", side, plain)
			}
		}
	}, s, &looking)
}

// withoutOthers leaves the DATA of stream 1.
func withoutOthers(t *testing.T, b []byte) []byte {
	t.Helper()
	b = bytes.TrimPrefix(b, []byte(http2.ClientPreface))
	var data []byte
	for len(b) >= 9 {
		n := 9 + int(b[0])<<16 + int(b[1])<<8 + int(b[2])
		if n > len(b) {
			break
		}
		if b[3] == 0 && strings.HasSuffix(string(b[5:9]), "\x01") {
			data = append(data, b[:n]...)
		}
		b = b[n:]
	}
	return data
}
