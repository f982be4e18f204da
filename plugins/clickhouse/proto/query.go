package proto

import "errors"

// Query is the packet that asks for something. Its slices are of what it was read from.
type Query struct {
	ID       []byte
	Client   []byte // the client's name
	Settings []Setting
	Text     []byte
	// Params are the values of parameters, as the agent wrote them.
	Params     []Setting
	Compressed bool // the blocks of both directions
	Stage      uint64
	Size       int // bytes of the packet
}

// Setting is a setting, or a parameter, of a query.
type Setting struct {
	Name, Value []byte
	// Number is the value in the older encoding, of a setting that is a number.
	Number uint64
	Kind   SettingKind
}

// SettingKind says where the value is.
type SettingKind uint8

// The kinds.
const (
	SettingText SettingKind = iota
	SettingNumber
)

// Errors of queries that only other servers, or another way to log in, need.
var (
	ErrSecondary = errors.New("a query that says it is part of another one is for servers only")
	ErrInterface = errors.New("a query that says it came by another interface is for servers only")
	ErrSecret    = errors.New("a query with the secret, the roles or the token of a cluster is for servers only")
	ErrSetting   = errors.New("a setting in the old encoding that is not known")
	ErrStage     = errors.New("a query that wants something else than its whole result is for servers only")
)

// ReadQuery reads a query, with its code, of a client of this revision whose text has at most limit bytes. lists are used again for settings and parameters.
func ReadQuery(p []byte, revision uint64, limit int, q *Query) (need int, err error) {
	r := reader{p: p}
	r.number() // the code
	q.ID = r.str(MaxWord)
	r.clientInfo(revision, q)
	q.Settings = r.settings(revision, q.Settings[:0])
	if revision >= revExternalRoles && len(r.str(MaxWord)) > 0 {
		r.fail(ErrSecret)
	}
	if revision >= revInterserverSecret && len(r.str(MaxWord)) > 0 {
		r.fail(ErrSecret)
	}
	if q.Stage = r.number(); q.Stage != 2 {
		r.fail(ErrStage)
	}
	compression := r.number()
	if compression > 1 {
		r.fail(ErrNumber)
	}
	q.Compressed = compression == 1
	q.Text = r.str(limit)
	q.Params = q.Params[:0]
	if revision >= revParameters {
		q.Params = r.settings(revision, q.Params)
	}
	q.Size = r.at
	return r.need, r.err
}

// BehindID is where in a query, with its code, the client's ID for it ends; 0 when that has not come, or is none.
func BehindID(p []byte) int {
	r := reader{p: p}
	r.number()
	if r.str(MaxWord); r.err != nil {
		return 0
	}
	return r.at
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Kinds of queries, and interfaces, in what a client says of itself.
const (
	noQuery      = 0
	initialQuery = 1
	overTCP      = 1
)

func (r *reader) clientInfo(revision uint64, q *Query) {
	switch r.byte() {
	case initialQuery:
	case noQuery:
		return
	default:
		r.fail(ErrSecondary)
	}
	r.str(MaxWord) // the first user, query and address: of a query by itself the server knows them
	r.str(MaxWord)
	r.str(MaxWord)
	if revision >= revQueryStartTime {
		r.take(8)
	}
	if r.byte() != overTCP {
		r.fail(ErrInterface)
	}
	r.str(MaxWord) // user and name of the client's machine
	r.str(MaxWord)
	q.Client = r.str(MaxWord)
	r.number()
	r.number()
	r.number()
	if revision >= revQuotaKeyInInfo {
		r.str(MaxWord)
	}
	if revision >= revDistributedDepth {
		r.number()
	}
	if revision >= revVersionPatch {
		r.number()
	}
	if revision >= revOpenTelemetry {
		switch r.byte() {
		case 0:
		case 1:
			r.take(16 + 8)
			r.str(MaxWord)
			r.byte()
		default:
			r.fail(ErrNumber)
		}
	}
	if revision >= revParallelReplicas {
		if r.number() != 0 {
			r.fail(ErrSecondary)
		}
		r.number()
		r.number()
	}
	if revision >= revQueryNumbers {
		r.number()
		r.number()
	}
	if revision >= revJWTInInfo && r.byte() != 0 {
		r.fail(ErrSecret)
	}
}

// settings reads a list of settings up to its end.
func (r *reader) settings(revision uint64, all []Setting) []Setting {
	for r.err == nil {
		name := r.str(MaxWord)
		if r.err != nil || len(name) == 0 {
			break
		}
		if len(all) == MaxSettings {
			r.fail(ErrLength)
			break
		}
		s := Setting{Name: name}
		switch {
		case revision >= revSettingsAsStrings:
			if r.number() > 0xff { // flags: important, custom, obsolete, tiers
				r.fail(ErrNumber)
			}
			s.Value = r.str(256 << 10)
		default:
			var known bool
			if s.Kind, known = oldSetting(name); !known {
				r.fail(ErrSetting)
			}
			switch s.Kind {
			case SettingText:
				s.Value = r.str(256 << 10)
			case SettingNumber:
				s.Number = r.number()
			}
		}
		all = append(all, s)
	}
	return all
}

// Table names a table in a request for the status of tables.
type Table struct{ Database, Name []byte }

// ReadTablesStatus reads such a request, with its code.
func ReadTablesStatus(p []byte) (tables []Table, size, need int, err error) {
	r := reader{p: p}
	r.number()
	n := r.number()
	if r.err == nil && n > MaxSettings {
		r.fail(ErrLength)
	}
	for ; n > 0 && r.err == nil; n-- {
		tables = append(tables, Table{r.str(MaxWord), r.str(MaxWord)})
	}
	return tables, r.at, r.need, r.err
}
