package redact_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/redact"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// answer is kept bytes in which values stand between brackets: [column:format:bytes], where a | ends a piece with a byte that is not the value's.
func answer(values ...string) *abi.Response {
	r := &abi.Response{}
	formats := map[byte]abi.Format{'t': abi.FormatText, 'j': abi.FormatJSON, 'l': abi.FormatLiteral, 'f': abi.FormatFixed, 'o': abi.FormatOpaque}
	for _, v := range values {
		r.Kept = append(r.Kept, '<')
		value := abi.ResponseValue{Column: uint16(v[0] - '0'), Format: formats[v[1]]}
		if v[1] == 'g' {
			value.Given, value.Text = true, []byte(v[2:])
		} else {
			for i, piece := range strings.Split(v[2:], "|") {
				if i > 0 {
					r.Kept = append(r.Kept, '|')
				}
				start := uint32(len(r.Kept))
				r.Kept = append(r.Kept, piece...)
				value.Pieces = append(value.Pieces, abi.Piece{Start: start, End: uint32(len(r.Kept))})
			}
		}
		r.Values = append(r.Values, value)
		r.Kept = append(r.Kept, '>')
	}
	return r
}

func TestMask(t *testing.T) {
	token := []string{`tok_[a-z0-9]+`}
	for _, c := range []struct {
		name     string
		patterns []string
		columns  []string
		values   []string
		want     string
		masked   int
		stuck    int
		by       []string
	}{
		{"a match is masked, what is around it stays", token, nil, []string{"0tmy tok_a1 here", "1tplain"}, "<my ****** here><plain>", 1, 0, []string{"pattern 1"}},
		{"several matches of several patterns", []string{"a+", "b"}, nil, []string{"0txaaybz"}, "<x**y*z>", 1, 0, []string{"pattern 1", "pattern 2"}},
		{"nothing matches", token, []string{"secret"}, []string{"0ttok-a1", "1jx"}, "<tok-a1><x>", 0, 0, nil},
		{"a column, whole, in any case", nil, []string{"TOKEN"}, []string{"0tname", "1tabc def"}, "<name><*******>", 1, 0, []string{"column TOKEN"}},
		{"a match over pieces of one value", token, nil, []string{"0ta tok_|ab|cd e"}, "<a ****|**|** e>", 1, 0, []string{"pattern 1"}},
		{"no match over two values", token, nil, []string{"0ttok_", "1tabcd"}, "<tok_><abcd>", 0, 0, nil},
		{"JSON: an escape in a match is masked whole", []string{`a\nb`}, nil, []string{`0jx a\nb y`}, "<x **** y>", 1, 0, []string{"pattern 1"}},
		{"JSON: an escaped letter is seen through", token, nil, []string{`0j\u0074ok_\u0061b.`}, "<" + strings.Repeat("*", 6+3+6+1) + ".>", 1, 0, []string{"pattern 1"}},
		{"JSON: a pair of surrogates is one character", []string{"\U0001F511"}, nil, []string{`0ja\ud83d\udd11b`}, "<a" + strings.Repeat("*", 12) + "b>", 1, 0, []string{"pattern 1"}},
		{"JSON: an escape beside a match stays", []string{"b"}, nil, []string{`0j\nb\n`}, `<\n*\n>`, 1, 0, []string{"pattern 1"}},
		{"JSON: numbers and words become null or 0", []string{"[0-9]{2}", "true"}, nil, []string{"0l12345", "0l12", "0ltrue", "0l7", "0l1|2345"}, "<null ><0 ><null><7><n|ull >", 4, 0, []string{"pattern 1", "pattern 2"}},
		{"text that must not change", token, nil, []string{"0ftok_a", "0tx"}, "<tok_a><x>", 0, 1, []string{"pattern 1"}},
		{"text that is not there as it is", token, []string{"token"}, []string{"0gtok_a", "1gb", "0gc"}, "<><><>", 0, 2, []string{"pattern 1", "column token"}},
		{"bytes that are no UTF-8", []string{"b+"}, nil, []string{"0t\xffbb\xfe"}, "<\xff**\xfe>", 1, 0, []string{"pattern 1"}},
		{"what cannot be read", token, nil, []string{"0oxyz", "0ttok_a"}, "<xyz><*****>", 1, 1, []string{"pattern 1"}},
		{"an empty value", nil, []string{"token"}, []string{"1t"}, "<>", 0, 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := redact.New(c.patterns, c.columns)
			if err != nil {
				t.Fatal(err)
			}
			a := answer(c.values...)
			res := r.Mask(a, []string{"name", "token"}, true)
			if string(a.Kept) != c.want || res.Values != c.masked || res.Stuck != c.stuck || !slices.Equal(res.By, c.by) {
				t.Errorf("%q %+v", a.Kept, res)
			}
		})
	}
}

// TestColumnsNotKnown: where the columns' names are not known, any value may be of one that is to be masked.
func TestColumnsNotKnown(t *testing.T) {
	for _, c := range []struct {
		columns []string
		stuck   int
	}{{[]string{"token"}, 1}, {nil, 0}} {
		r, err := redact.New([]string{"x"}, c.columns)
		if err != nil {
			t.Fatal(err)
		}
		if res := r.Mask(answer("0ta"), nil, false); res.Stuck != c.stuck {
			t.Errorf("%v: %+v", c.columns, res)
		}
	}
}

func TestNew(t *testing.T) {
	for _, bad := range []string{"(", "a*", "", "(?:)", strings.Repeat("x", redact.MaxPattern+1)} {
		if _, err := redact.New([]string{"fine", bad}, nil); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// FuzzMask: lengths stay, what is outside of values stays, nothing that is left matches, and JSON stays JSON.
func FuzzMask(f *testing.F) {
	f.Add(`{"a": "tok_abc", "b": 12}`, "tok_abc", false)
	f.Add(`x\ntok_z`, `\u0074ok_aé`, true)
	f.Fuzz(func(t *testing.T, before, value string, two bool) {
		r, err := redact.New([]string{"tok_[a-z]+"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		quoted, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		a := &abi.Response{Kept: slices.Concat([]byte(before), quoted)}
		start, end := uint32(len(before)+1), uint32(len(a.Kept)-1)
		v := abi.ResponseValue{Format: abi.FormatJSON, Pieces: []abi.Piece{{Start: start, End: end}}}
		if middle := (start + end) / 2; two {
			v.Pieces = []abi.Piece{{Start: start, End: middle}, {Start: middle, End: end}}
		}
		a.Values = []abi.ResponseValue{v}
		size := len(a.Kept)
		r.Mask(a, nil, true)
		var back string
		switch {
		case len(a.Kept) != size || !bytes.HasPrefix(a.Kept, []byte(before)):
			t.Fatalf("%q", a.Kept)
		case json.Unmarshal(a.Kept[len(before):], &back) != nil:
			t.Fatalf("no JSON any more: %q", a.Kept)
		}
		if again := r.Mask(a, nil, true); again.Values != 0 {
			t.Fatalf("%q matches still", a.Kept)
		}
	})
}
