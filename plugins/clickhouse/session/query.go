package session

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/proto"
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Limits of what goes into an action, in bytes.
const (
	maxText     = 16 << 10
	maxParams   = 4 << 10
	maxSettings = 8 << 10
	maxChanged  = 64 // names
)

// queryPacket asks about a Query.
func (s *Session) queryPacket(c *sdk.Conn, p []byte) int {
	packet, err := s.whole(p)
	if err != nil {
		return s.broken(c, err)
	}
	if size := s.repeat.size(packet); size > 0 {
		s.query.Compressed = s.repeat.compressed
		return s.begun(c, s.cover(p, size))
	}
	need, err := proto.ReadQuery(packet, s.revision, s.native.MaxQuery, &s.query)
	switch {
	case err == proto.ErrMore && need <= s.native.MaxQuery+maxBeside:
		if !s.chunked {
			s.need = need
		} else if len(p)-len(packet) >= 0 {
			s.need = len(p) + max(need-len(packet), 1)
		}
		return 0
	case err == proto.ErrLength:
		s.refuse(c, syntaxError, "sallyport: the query, or a word beside it, is longer than the option max_query allows ("+strconv.Itoa(s.native.MaxQuery)+" bytes)", true)
		return 0
	case err != nil:
		s.refuse(c, unexpectedPacket, "sallyport: the query packet: "+err.Error(), true)
		return 0
	}
	s.repeat.words = s.repeat.words[:0]
	f := s.native.Classify(s.query.Text, s.version)
	out := outside{settings: s.query.Settings, params: s.query.Params}
	if otherBlocks(f, &out) {
		s.refuse(c, unexpectedPacket, "sallyport: blocks with their types in binary (…_types_in_binary_format), or more settings than are read", true)
		return 0
	}
	s.describe(f, &out)
	before := standing{len(s.changed), s.transaction, s.risky}
	s.changes(f, &out)
	s.repeat.follows = f.Kind == sql.KindInsert || f.Unknown
	s.repeat.takesRows = f.Kind == sql.KindInsert && f.Insert()
	s.repeat.compressed = s.query.Compressed
	s.asks(f)
	if !s.facts.Inspect && before == (standing{len(s.changed), s.transaction, s.risky}) {
		s.repeat.keep(packet[:s.query.Size])
	}
	return s.begun(c, s.cover(p, s.query.Size))
}

// begun asks about a query, of size bytes with its framing, that is described.
func (s *Session) begun(c *sdk.Conn, size int) int {
	s.finish(c)
	s.action = s.put(c)
	s.kind, s.heard, s.aside = askedQuery, false, false
	s.data.tables, s.data.over, s.data.strict = false, false, false
	if s.repeat.follows {
		s.answer.begin()
	} else {
		s.answer.stop()
	}
	s.takesRows = s.repeat.takesRows
	s.answer.rows, s.answer.open = false, s.answer.every && !s.answer.lost
	c.Pass(abi.Agent, s.action, uint64(size))
	return size
}

// maxBeside is how much may stand beside the text of a query, in bytes.
const maxBeside = 512 << 10

// outside is what comes with a text.
type outside struct {
	settings, params []proto.Setting
}

// describe writes down the action that a statement is.
func (s *Session) describe(f *Facts, out *outside) {
	about := About{User: s.user, Database: s.database, Application: s.client, Interface: "native", Changed: s.changed, Transaction: s.transaction}
	for i := range out.settings {
		about.setting(&out.settings[i])
	}
	for i := range out.params {
		about.Params = append(about.Params, string(out.params[i].Name)+"="+string(out.params[i].Value))
	}
	s.repeat.action = Describe(s.repeat.action[:0], f, s.query.Text, &about)
}

// put asks about what is described.
func (s *Session) put(c *sdk.Conn) uint32 {
	flags := abi.AskQuiet | abi.AskAside
	if s.facts.Inspect {
		flags = abi.AskAside
	}
	return c.AskEncoded(0, flags, s.repeat.action)
}

// asks notes what is asked about, whose answer is followed where some rule looks at answers.
func (s *Session) asks(f *Facts) {
	if s.answer.every {
		s.class, s.title = f.Class, strings.Clone(f.Title)
	}
}

// About is what is said of a statement beside its text.
type About struct {
	User, Database, Application string
	Interface                   string
	Settings, Names             []string // name=value, and the names, of what comes beside the text
	Params                      []string
	Changed                     []string
	Readonly, Transaction       bool
	// More and ParamsUnknown say that there are others which cannot be read.
	More, ParamsUnknown bool
	// ChangedUnknown: earlier statements of the session are not known.
	ChangedUnknown bool
}

func (a *About) setting(v *proto.Setting) {
	value := string(v.Value)
	if v.Kind == proto.SettingNumber {
		value = strconv.FormatUint(v.Number, 10)
	}
	a.Set(string(v.Name), value)
}

// Set adds a setting that comes beside the text.
func (a *About) Set(name, value string) {
	name = strings.ToLower(name)
	a.Settings, a.Names = append(a.Settings, name+"="+value), append(a.Names, name)
}

// Describe appends the action that a statement is to p. A nil text is one that is not known.
func Describe(p []byte, f *Facts, text []byte, about *About) []byte {
	title := f.Title
	if title == "" {
		title = "run a statement"
	}
	class := f.Class
	for i, name := range about.Names {
		class = max(class, sql.SettingClass(name, about.Settings[i][len(name)+1:]))
	}
	if about.More {
		class = abi.ClassOpaque
	}
	b := new(abi.ActionWriter)
	b.Begin(p, familySQL, class, title)
	b.Bool(sqlReadonly, about.Readonly)
	b.String(sqlInterface, about.Interface)
	b.Bool(sqlTransaction, about.Transaction)
	b.Bool(sqlLocks, false)
	b.Bool(sqlReturning, false)
	b.Bool(sqlExecutes, true)
	b.Bool(sqlPrepared, false)
	word(b, sqlDatabase, about.Database)
	word(b, sqlUser, about.User)
	word(b, sqlApplication, about.Application)
	if !f.Unknown {
		b.Bool(sqlBounded, f.Bounded)
		b.Int(sqlStatements, int64(f.Statements))
		for _, l := range [...]struct {
			field   uint16
			list    []string
			unknown bool
		}{{sqlVerbs, f.Verbs, false}, {sqlReads, f.Reads, f.ReadsUnknown}, {sqlWrites, f.Writes, f.WritesUnknown},
			{sqlFunctions, f.Functions, f.FunctionsUnknown}, {sqlColumns, f.Columns, f.ColumnsUnknown}} {
			if !l.unknown {
				list(b, l.field, l.list, maxText/2)
			}
		}
	}
	if !about.More && !f.Unknown && !f.SettingsUnknown {
		names := append(about.Names[:len(about.Names):len(about.Names)], f.SettingNames...)
		list(b, sqlSettingNames, names, maxSettings/2)
		all := about.Settings[:len(about.Settings):len(about.Settings)]
		list(b, sqlSettings, append(all, f.Settings...), maxSettings)
	}
	if !about.More {
		list(b, sqlOutside, about.Names, maxSettings/2)
	}
	if len(about.Changed) <= maxChanged && !about.ChangedUnknown {
		b.Strings(sqlChanged, about.Changed)
	}
	if !about.ParamsUnknown {
		list(b, sqlParams, about.Params, maxParams)
	}
	if text != nil && len(text) <= min(maxText, room(b)-16) {
		b.String(sqlText, string(text))
	}
	return b.End()
}

// room is how many more bytes an action may take.
func room(b *abi.ActionWriter) int { return abi.MaxAction - b.Len() }

func word(b *abi.ActionWriter, field uint16, v string) {
	if len(v) <= proto.MaxWord/4 {
		b.String(field, v)
	}
}

// list gives a list that has at most limit bytes.
func list(b *abi.ActionWriter, field uint16, all []string, limit int) {
	size := 8
	for _, v := range all {
		size += 4 + len(v)
	}
	if size <= min(limit, room(b)) {
		b.Strings(field, all)
	}
}

// otherBlocks reports whether a query may have blocks written, of either side, in a way that is not followed here: where they end would
// not be known, and what stands behind them could be hidden in them.
func otherBlocks(f *Facts, out *outside) bool {
	const end = "_types_in_binary_format"
	for i := range out.settings {
		if v := &out.settings[i]; strings.HasSuffix(strings.ToLower(string(v.Name)), end) && string(v.Value) != "0" {
			return true
		}
	}
	for _, both := range f.Settings {
		if name, value, _ := strings.Cut(both, "="); strings.HasSuffix(name, end) && value != "0" {
			return true
		}
	}
	return f.SettingsUnknown
}

// changes notes what the session is changed to if f is allowed.
func (s *Session) changes(f *Facts, out *outside) {
	risky := false
	for i := range out.settings {
		risky = risky || Risky(string(out.settings[i].Name))
	}
	for _, name := range f.SettingNames {
		risky = risky || Risky(name)
	}
	s.riskyNow = risky || s.risky
	for _, name := range f.Changes {
		s.risky = s.risky || Risky(name)
		if len(s.changed) <= maxChanged && !contains(s.changed, name) {
			s.changed = append(s.changed, strings.Clone(name)) // it is of the text, whose memory is used again
		}
	}
	s.riskyNow = s.riskyNow || s.risky
	for _, verb := range f.Verbs {
		s.transaction = (s.transaction || verb == "begin") && verb != "commit" && verb != "rollback"
	}
}

func contains(all []string, v string) bool {
	for _, s := range all {
		if s == v {
			return true
		}
	}
	return false
}

// riskySettings are the beginnings of names of settings under which a server may fail while it reads a block.
var riskySettings = [...]string{"max_memory_usage", "max_untracked_memory", "memory_tracker", "receive_timeout", "send_timeout", "max_partition", "throw_on_", "unknown_packet"}

// Risky reports whether a setting, of this name, can make a server fail while it reads data.
func Risky(name string) bool {
	for _, begin := range riskySettings {
		if strings.HasPrefix(strings.ToLower(name), begin) {
			return true
		}
	}
	return false
}

// tablesPacket asks about a request for the status of tables, which shows that they exist.
func (s *Session) tablesPacket(c *sdk.Conn, p []byte) int {
	packet, err := s.whole(p)
	if err != nil {
		return s.broken(c, err)
	}
	tables, size, need, err := proto.ReadTablesStatus(packet)
	switch {
	case err == proto.ErrMore:
		s.need = len(p) + max(need-len(packet), 1)
		return 0
	case err != nil:
		return s.broken(c, err)
	}
	s.repeat.words = s.repeat.words[:0]
	s.finish(c)
	f := Facts{Class: abi.ClassRead, Title: "ask for the status of " + strconv.Itoa(len(tables)) + " tables", Statements: 1, Verbs: []string{"tables status"}, Bounded: true}
	for _, t := range tables {
		f.Reads = append(f.Reads, string(t.Name))
		if len(t.Database) > 0 {
			f.Reads = append(f.Reads, string(bytes.Join([][]byte{t.Database, t.Name}, []byte("."))))
		}
	}
	size = s.cover(p, size)
	s.query.Text = nil
	s.describe(&f, &outside{})
	s.action = s.put(c)
	s.kind, s.heard, s.aside = askedTables, false, false
	s.data.tables, s.data.over = true, true
	s.answer.stop()
	s.takesRows = false
	s.answer.rows, s.answer.open = false, s.answer.every && !s.answer.lost
	s.asks(&f)
	c.Pass(abi.Agent, s.action, uint64(size))
	return size
}
