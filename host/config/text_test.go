package config

import "testing"

func TestTextAt(t *testing.T) {
	for _, c := range []struct {
		raw    string
		value  string
		offset int
		want   Pos
	}{
		{`abc`, "abc", 0, Pos{1, 8}},
		{`abc`, "abc", 2, Pos{1, 10}},
		{`"abc"`, "abc", -1, Pos{1, 9}},
		{`"abc"`, "abc", 2, Pos{1, 11}},
		{`"abc"`, "abc", 3, Pos{1, 12}},
		{`"abc"`, "abc", 99, Pos{1, 12}},
		{`""`, "", 0, Pos{1, 9}},
		{`''`, "", 0, Pos{1, 9}},
		{`'a\b'`, `a\b`, 2, Pos{1, 11}},
		{`"a\"b"`, `a"b`, 1, Pos{1, 10}},
		{`"a\"b"`, `a"b`, 2, Pos{1, 12}},
		{`"ä\u00e4\U0001F600\x41b"`, "ää😀Ab", 2, Pos{1, 10}},
		{`"ä\u00e4\U0001F600\x41b"`, "ää😀Ab", 3, Pos{1, 10}},
		{`"ä\u00e4\U0001F600\x41b"`, "ää😀Ab", 4, Pos{1, 16}},
		{`"ä\u00e4\U0001F600\x41b"`, "ää😀Ab", 8, Pos{1, 26}},
		{`"ä\u00e4\U0001F600\x41b"`, "ää😀Ab", 9, Pos{1, 30}},
		{"\"\"\"\nab\ncd\"\"\"", "ab\ncd", 0, Pos{2, 1}},
		{"\"\"\"\nab\ncd\"\"\"", "ab\ncd", 2, Pos{2, 3}},
		{"\"\"\"\nab\ncd\"\"\"", "ab\ncd", 4, Pos{3, 2}},
		{"\"\"\"a \\\n   b\"\"\"", "a b", 1, Pos{1, 12}},
		{"\"\"\"a \\\n   b\"\"\"", "a b", 2, Pos{2, 4}},
		{"'''\r\nab\r\ncd'''", "ab\r\ncd", 4, Pos{3, 1}},
		{`"""a"""""`, `a""`, 2, Pos{1, 13}},
		{`''''a'''`, `'a`, 1, Pos{1, 12}},
	} {
		text := newText(c.value, c.raw, Pos{1, 8})
		if got := text.At(c.offset); got != c.want {
			t.Errorf("offset %d of %s is at %v, want %v", c.offset, c.raw, got, c.want)
		}
	}
	if got := (Text{Value: "abc"}).At(1); !got.IsZero() {
		t.Errorf("a text that is in no file has the place %v", got)
	}
}

func TestTextAtLocation(t *testing.T) {
	text := newText("ab\nöx\n", "'''\nab\nöx\n'''", Pos{4, 8})
	for _, c := range []struct {
		line, column int
		want         Pos
	}{
		{1, 0, Pos{5, 1}}, {1, 1, Pos{5, 2}}, {1, 9, Pos{5, 3}}, {2, 1, Pos{6, 2}}, {3, 0, Pos{7, 1}}, {9, 9, Pos{7, 1}}, {0, -3, Pos{5, 1}},
	} {
		if got := text.AtLocation(c.line, c.column); got != c.want {
			t.Errorf("line %d column %d is at %v, want %v", c.line, c.column, got, c.want)
		}
	}
}
