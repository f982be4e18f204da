package answer

import (
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Reply keeps a response of HTTP/1.1. The caller has it read what the upstream sends from the head on, and asks when a Step says so.
type Reply struct {
	*Answer
	// Delimited is how the body ends.
	Delimited head.Body
	// Left is what is to come of the body, or of the present chunk, in bytes.
	Left uint64
	// Unread says that not even the head fits, Over that everything has come.
	Unread, Over bool
	// Long is set by the caller when it has asked about the answer as too long.
	Long bool
}

// Step is what follows.
type Step uint8

// The steps.
const (
	More   Step = iota // of the upstream
	Whole              // it is to be asked about
	Long               // it is to be asked about as too long: what was not kept stays where it is
	CutOff             // the upstream has ended in the middle
)

// Head keeps the head of the response, which p begins with, and returns how much of p that is.
func (k *Reply) Head(c *sdk.Conn, r *head.Response, p []byte, body head.Body) (n int, s Step) {
	k.Status, k.Delimited, k.Sized = r.Status, body, body == head.Counted
	if !c.Fits(k.Parent, r.Size) {
		k.Unread = true
		return 0, Long
	}
	at := c.Kept(k.Parent)
	c.Keep(k.Parent, r.Size)
	k.reason(c, p[:r.Size], at)
	for i := range r.Count {
		f := &r.All[i]
		line := f.Line(p)
		k.Header(c, f.Name.Of(p), f.Value.Of(p), at+int(line.Start), int(line.End-line.Start)-2)
	}
	switch body {
	case head.NoBody:
		k.Over = true
	case head.Counted:
		k.Left = uint64(r.Length)
		k.Over = r.Length == 0
	case head.Tunnel:
		k.Endless = true
	}
	switch {
	case k.Over:
		return r.Size, Whole
	case k.Endless:
		return r.Size, Long
	}
	return r.Size, More
}

// Next keeps what comes of the body, and returns how much of p that is. chunks have begun with it.
func (k *Reply) Next(c *sdk.Conn, chunks *head.Chunks, p []byte, end bool) (n int, s Step, problem head.Problem) {
	if k.Delimited == head.InChunks && k.Left == 0 {
		return k.chunk(c, chunks, p, end)
	}
	n = len(p)
	if k.Delimited != head.UntilClose {
		n = int(min(k.Left, uint64(n)))
	}
	fits := min(n, k.limit-c.Kept(k.Parent))
	if !c.Fits(k.Parent, fits) {
		fits = 0
	}
	if fits > 0 {
		at := c.Kept(k.Parent)
		c.Keep(k.Parent, fits)
		k.Body(p[:fits], at)
		k.Left -= min(k.Left, uint64(fits))
	}
	switch {
	case fits < n:
		return fits, Long, ""
	case k.Delimited == head.Counted && k.Left == 0:
		k.Over = true
		return fits, Whole, ""
	}
	return fits, More, ""
}

// chunk keeps what stands between the data of chunks: the first line of one, or its end, or the trailers.
func (k *Reply) chunk(c *sdk.Conn, chunks *head.Chunks, p []byte, end bool) (n int, s Step, problem head.Problem) {
	piece, problem := chunks.Next(p)
	n = int(piece.Size - piece.Data)
	switch {
	case problem != "":
		return 0, More, problem
	case piece.Size == 0 && end:
		return 0, CutOff, ""
	case piece.Size == 0:
		return 0, More, ""
	case !c.Fits(k.Parent, n) || !k.framing(c, p[:n], piece.Last):
		k.Left, k.Over = piece.Size, piece.Last // it has been read, and goes on as it is if that is allowed
		return 0, Long, ""
	}
	c.Keep(k.Parent, n)
	k.Left = piece.Data
	if piece.Last {
		k.Over = true
		return n, Whole, ""
	}
	return n, More, ""
}

// End takes the end of the upstream.
func (k *Reply) End() Step {
	if k.Delimited != head.UntilClose {
		return CutOff
	}
	k.Over = true
	return Whole
}

// Lasts reports whether nobody waits for the end of a reply that is withheld: what is left of it is not known, or more than most bytes.
func (k *Reply) Lasts(most uint64) bool {
	return k.Long && (k.Unread || k.Delimited == head.Tunnel || !k.Over && (k.Delimited != head.Counted || k.Left > most || k.Endless))
}

// reason takes what the status line says in words: a value, unless it is what every server says.
func (k *Reply) reason(c *sdk.Conn, p []byte, start int) {
	const at = len("HTTP/1.1 200 ")
	end := at
	for end < len(p) && p[end] != '\r' {
		end++
	}
	if end > at && end < len(p) && !usual(string(p[at:end])) {
		c.Value(k.Parent, abi.NoColumn, abi.FormatFixed, start+at, end-at)
	}
}

func usual(reason string) bool {
	switch reason {
	case "OK", "Created", "Accepted", "No Content", "Partial Content", "Moved Permanently", "Found", "See Other", "Not Modified", "Temporary Redirect", "Permanent Redirect", "Bad Request",
		"Unauthorized", "Forbidden", "Not Found", "Method Not Allowed", "Not Acceptable", "Conflict", "Gone", "Precondition Failed", "Unprocessable Entity", "Too Many Requests",
		"Internal Server Error", "Not Implemented", "Bad Gateway", "Service Unavailable", "Gateway Timeout", "Switching Protocols", "Connection established":
		return true
	}
	return false
}

// framing takes what stands between the data of chunks: extensions and trailers are values. It reports false when there is no room for them.
func (k *Reply) framing(c *sdk.Conn, p []byte, last bool) bool {
	said := p
	if !last {
		i := 0
		for i < len(p) && p[i] != ';' {
			i++
		}
		said = p[i:]
	} else if len(p) <= len("0\r\n\r\n") {
		return true
	}
	for len(said) > 0 && (said[len(said)-1] == '\r' || said[len(said)-1] == '\n') {
		said = said[:len(said)-1]
	}
	if len(said) == 0 {
		return true
	}
	if !c.FitsText(k.Parent, len(said)) {
		return false
	}
	c.Text(k.Parent, abi.NoColumn, said)
	return true
}
