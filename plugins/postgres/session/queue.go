package session

// kind says what an item of the queue waits for.
type kind uint8

const (
	itemQuery kind = iota
	itemFunction
	itemDeniedQuery // a constant stands for a Query or FunctionCall
	itemSync
	itemParse
	itemBind
	itemDescribeStatement
	itemDescribePortal
	itemCloseStatement
	itemClosePortal
	itemExecute
	itemDeniedNamed   // a constant Parse stands for messages of the extended protocol
	itemDeniedUnnamed // likewise, and it takes the unnamed statement away
)

var kindNames = [...]string{"Query", "FunctionCall", "a denied Query", "Sync", "Parse", "Bind", "Describe of a statement",
	"Describe of a portal", "Close of a statement", "Close of a portal", "Execute", "a denied message", "a denied Parse"}

func (k kind) String() string { return kindNames[k] }

// simple reports whether the answer ends in ReadyForQuery. The server goes on behind such an item even if it failed, so what it
// made of a name is not known before it is answered.
func (k kind) simple() bool { return k <= itemSync }

// item is one message that the server has been given and has not answered completely.
type item struct {
	kind   kind
	failed bool // an ErrorResponse came, ReadyForQuery follows
	out    bool // COPY … TO STDOUT is sending
	half   bool // the first of two answers came (Describe of a statement)
	done   uint16
	rows   uint64 // that the statement has sent
	action uint32
	name   string     // of the statement or portal
	st     *statement // what it is about
	params []byte     // the values of a Bind, see params.go
	result binding    // of a Bind, where answers are looked at
}

// binding is what of a Bind says how its rows come.
type binding struct {
	statement string
	formats   []byte
}

// renames reports whether the item may change what the name of a prepared statement stands for.
func (i *item) renames() bool {
	switch i.kind {
	case itemParse, itemCloseStatement, itemQuery, itemDeniedQuery, itemDeniedUnnamed:
		return true
	case itemExecute:
		return i.st.names || i.st.facts.Unknown
	}
	return false
}

// maxQueue bounds the queue, in items. It must be more than the answers that fit in the server's send buffer (8 KiB, 5 bytes
// each), or else a pipeline without Sync would wait for answers that wait for a Flush.
const maxQueue = 4096

// queue holds the items in the order in which the server answers.
type queue struct {
	items []item
	first int
	names int // how many of them may change what a statement's name stands for
}

func (q *queue) len() int    { return len(q.items) - q.first }
func (q *queue) head() *item { return &q.items[q.first] }

// all are the items, oldest first.
func (q *queue) all() []item { return q.items[q.first:] }

func (q *queue) push(i item) {
	if q.first > 0 && len(q.items) == cap(q.items) {
		n := copy(q.items, q.items[q.first:])
		clear(q.items[n:])
		q.items, q.first = q.items[:n], 0
	}
	if i.renames() {
		q.names++
	}
	q.items = append(q.items, i)
}

func (q *queue) pop() {
	if q.items[q.first].renames() {
		q.names--
	}
	q.items[q.first] = item{}
	q.first++
	if q.first == len(q.items) {
		q.items, q.first = q.items[:0], 0
	}
}

// draining reports whether everything in the queue will be answered without anything more from the agent.
func (q *queue) draining() bool {
	return q.len() > 0 && q.items[len(q.items)-1].kind.simple()
}
