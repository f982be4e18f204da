package session

import (
	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk"
)

// companion reads statements with libpg_query in companion 0.
type companion struct {
	conn    *sdk.Conn
	in, out []byte
	known   [knownRecords]known
	next    int // the entry of known that goes first
}

// Limits of what a companion keeps: the copy of a text for the next one, and how many records of which size, in bytes.
const (
	// recordSize is the most that the companion returns for one text, in bytes.
	recordSize   = 256 << 10
	keptSize     = 16 << 10
	knownRecords = 16
	knownSize    = 512
)

// known is a record and what it means. Texts that differ in their constants alone have the same record, and decoding it costs
// more than making it.
type known struct {
	record string
	facts  *sqlfacts.Facts
}

// Read says what text would do.
func (r *companion) Read(text []byte) (*sqlfacts.Facts, error) {
	if r.out == nil {
		r.out = make([]byte, recordSize)
	}
	r.in = append(append(r.in[:0], sqlfacts.ModeFacts), text...)
	record, err := r.conn.Call(0, r.in, r.out)
	if cap(r.in) > keptSize {
		r.in = nil
	}
	if err != nil {
		return nil, err
	}
	for i := range r.known {
		if k := &r.known[i]; len(k.record) > 0 && k.record == string(record) {
			return k.facts, nil
		}
	}
	facts, err := sqlfacts.Decode(record)
	if err != nil {
		return nil, err
	}
	if len(record) <= knownSize {
		r.known[r.next] = known{string(record), &facts}
		r.next = (r.next + 1) % knownRecords
	}
	return &facts, nil
}
