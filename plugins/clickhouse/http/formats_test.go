package http

import (
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// FuzzFormats: whatever stands in a body, values lie in it, in order, and what is no body of the format is left to others.
func FuzzFormats(f *testing.F) {
	formats := []string{"TabSeparated", "TSVRawWithNames", "TabSeparatedWithNamesAndTypes", "JSON", "JSONCompact", "JSONEachRow", "JSONCompactEachRowWithNames"}
	for i := range formats {
		f.Add(uint8(i), []byte("a\tb\\t\\\n1\t2"), true, 100)
		f.Add(uint8(i), []byte(`{"meta":[{"name":"id","type":"UInt64"}],"data":[{"id":[1,{"k":"v"}]}],"totals":{"id":2}}`), false, 10)
		f.Add(uint8(i), []byte("[\"id\",\"v\"]\n[1,{\"a\":\"m\\u0041\"}]\n{\"a\":1}"), false, 0)
	}
	f.Fuzz(func(t *testing.T, format uint8, p []byte, truncated bool, room int) {
		at := 0
		_, ok := reader(formats[int(format)%len(formats)])(p, truncated, func(_ uint16, _ abi.Format, start, end int) {
			if start < at || end < start || end > len(p) {
				t.Fatalf("%d to %d behind %d in %q", start, end, at, p)
			}
			at = end
		}, func(_ uint16, text []byte) bool {
			room -= len(text)
			return room >= 0
		})
		if !ok && at > 0 {
			t.Fatalf("values of %q were told of, which is not in the format", p)
		}
	})
}
