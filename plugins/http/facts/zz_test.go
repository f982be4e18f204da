package facts
import ("testing"; "github.com/sallyport-dev/sallyport/plugins/http/head"; "github.com/sallyport-dev/sallyport/sdk")
const example = "GET /api/v1/users/1234?fields=name,mail HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: python-requests/2.31.0\r\n" +
	"Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n"
func BenchmarkParts(b *testing.B) {
	p := []byte(example)
	var r head.Request
	r.Read(p)
	a := new(Action)
	c := new(sdk.Conn)
	raise := &Raise{}
	hs := func() { a.Begin(); for i := range r.Count {
		f := &r.All[i]
		a.Header(f.Known, f.Name.Of(p), f.Value.Of(p))
	} }
	what := Request{Method: r.Method.Of(p), Authority: r.Authority.Of(p), Path: r.Path.Of(p), Query: r.Query.Of(p), Version: "1.1", Body: Body{Known: true}}
	b.Run("headers", func(b *testing.B){ for b.Loop() { hs() } })
	b.Run("ask", func(b *testing.B){ for b.Loop() { a.used = 0; a.Ask(c, &what, raise).Do(0, 4) } })
	b.Run("params", func(b *testing.B){ for b.Loop() { a.parameters(what.Query) } })
	b.Run("normal", func(b *testing.B){ for b.Loop() { Normal(a.path[:0], what.Path) } })
	b.Run("title", func(b *testing.B){ for b.Loop() { a.used = 0; a.title(what.Method, "api.example.com", what.Path) } })
	b.Run("loop", func(b *testing.B){ for b.Loop() { a.used = 0; } })
}
