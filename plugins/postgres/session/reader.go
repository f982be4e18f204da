package session

import (
	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk"
)

// companion reads statements with libpg_query in companion 0.
type companion struct {
	conn *sdk.Conn
	mode byte
	in   []byte
	out  []byte
	// known are records and what they mean. Texts that differ in their constants alone have the same record, and reading that
	// costs more than making it.
	known [knownRecords]known
	kept  int // bytes of all of them, about
	alike skeletons
}

// Limits of what a companion keeps: the copy of a text for the next one, the records, and how much memory these take together
// with what they mean, in bytes.
const (
	// recordSize is the most that the companion returns for one text, in bytes.
	recordSize   = 256 << 10
	keptSize     = 16 << 10
	knownRecords = 64
	knownSize    = 128 << 10
)

type known struct {
	hash   uint64
	record string
	shape  *shape
}

// read says what text would do. The facts are encoded in at most room bytes of an action.
func (r *companion) read(text []byte, room int) (*shape, error) {
	r.in = append(append(r.in[:0], r.mode), text...)
	record, err := r.conn.Call(0, r.in, r.out)
	if cap(r.in) > keptSize {
		r.in = nil
	}
	if err != nil {
		return nil, err
	}
	hash := hashOf(record)
	k := &r.known[hash>>32%knownRecords]
	if k.hash == hash && k.record == string(record) {
		return k.shape, nil
	}
	now := known{hash: hash, record: string(record)}
	facts, err := sqlfacts.Decode(now.record)
	if err != nil {
		return nil, err
	}
	now.shape = newShape(&facts)
	now.shape.encode(room)
	r.keep(k, now)
	return now.shape, nil
}

// keep puts a record in the place of the one that stood there.
func (r *companion) keep(k *known, now known) {
	size := func(k *known) int {
		if k.shape == nil {
			return 0
		}
		return len(k.record) + k.shape.weight
	}
	if size(&now) > knownSize/8 {
		return
	}
	r.kept += size(&now) - size(k)
	if *k = now; r.kept > knownSize {
		clear(r.known[:])
		*k = now
		r.kept = size(k)
	}
}
