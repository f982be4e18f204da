package session

import (
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
)

// model is a server that keeps PostgreSQL's rules about names, transactions, errors and Sync, over the language of words. It
// remembers whether anything was deleted.
type model struct {
	in         []byte
	out        []byte
	started    bool
	statements map[string]string
	portals    map[string]string
	status     byte
	skip       bool
	deleted    []string
	ready      int // ReadyForQuery that it sent
}

func newModel() *model {
	return &model{statements: map[string]string{}, portals: map[string]string{}, status: 'I'}
}

func (m *model) say(messages ...pgproto3.BackendMessage) {
	for _, b := range messages {
		m.out, _ = b.Encode(m.out)
	}
}

func (m *model) becomeReady() {
	if m.status == 'I' {
		clear(m.portals)
	}
	m.ready++
	m.say(&pgproto3.ReadyForQuery{TxStatus: m.status})
}

// fail answers with an error. In the extended protocol everything up to Sync is ignored after it.
func (m *model) fail(extended bool, code string) {
	m.say(&pgproto3.ErrorResponse{Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: code, Message: "the model says no"})
	if m.status == 'T' {
		m.status = 'E'
	}
	m.skip = m.skip || extended
}

// take carries out what the server is given.
func (m *model) take(p []byte) {
	m.in = append(m.in, p...)
	if !m.started {
		_, size, ok, err := proto.StartupHeader(m.in)
		if err != nil || !ok || len(m.in) < size {
			return
		}
		m.in, m.started = m.in[size:], true
		m.say(&pgproto3.AuthenticationOk{}, &pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"},
			&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
		m.becomeReady()
	}
	for {
		typ, size, ok := proto.Header(m.in)
		if !ok || int64(len(m.in)) < size {
			return
		}
		m.message(typ, m.in[:size])
		m.in = m.in[size:]
	}
}

func (m *model) message(typ byte, msg []byte) {
	if m.skip && typ != proto.Sync {
		return
	}
	switch typ {
	case proto.Sync:
		m.skip = false
		m.becomeReady()
	case proto.Query:
		text, _ := proto.ReadQuery(msg)
		m.query(string(text))
		m.becomeReady()
	case proto.Parse:
		name, text, _ := proto.ReadParse(msg)
		m.parse(string(name), string(text))
	case proto.Bind:
		portal, name, _ := proto.ReadBind(msg)
		m.bind(string(portal), string(name))
	case proto.Execute:
		portal, _ := proto.ReadExecute(msg)
		if text, ok := m.portals[string(portal)]; !ok {
			m.fail(true, "34000")
		} else if tag, code := m.run(text); code != "" {
			m.fail(true, code)
		} else {
			m.say(&pgproto3.CommandComplete{CommandTag: []byte(tag)})
		}
	case proto.Describe:
		m.describe(msg)
	case proto.Close:
		kind, name, _ := proto.ReadTarget(msg)
		if kind == proto.TargetStatement {
			delete(m.statements, string(name))
		} else {
			delete(m.portals, string(name))
		}
		m.say(&pgproto3.CloseComplete{})
	}
}

func parses(text string) bool {
	_, err := words{}.Read([]byte(text))
	return err == nil
}

func (m *model) query(text string) {
	delete(m.statements, "")
	if !parses(text) {
		m.fail(false, "42601")
		return
	}
	delete(m.portals, "")
	for _, part := range strings.Split(text, ";") {
		tag, code := m.run(part)
		if code != "" {
			m.fail(false, code)
			return
		}
		m.say(&pgproto3.CommandComplete{CommandTag: []byte(tag)})
	}
}

func (m *model) parse(name, text string) {
	_, taken := m.statements[name]
	switch {
	case name == "":
		delete(m.statements, "")
	case taken:
		m.fail(true, "42P05")
		return
	}
	if !parses(text) || strings.Contains(text, ";") || m.status == 'E' && text != "commit" {
		m.fail(true, "42601")
		return
	}
	m.statements[name] = text
	m.say(&pgproto3.ParseComplete{})
}

func (m *model) bind(portal, name string) {
	text, ok := m.statements[name]
	_, taken := m.portals[portal]
	if !ok || portal != "" && taken || m.status == 'E' && text != "commit" {
		m.fail(true, "26000")
		return
	}
	m.portals[portal] = text
	m.say(&pgproto3.BindComplete{})
}

func (m *model) describe(msg []byte) {
	kind, name, _ := proto.ReadTarget(msg)
	names := m.portals
	if kind == proto.TargetStatement {
		names = m.statements
	}
	if _, ok := names[string(name)]; !ok {
		m.fail(true, "26000")
		return
	}
	if kind == proto.TargetStatement {
		m.say(&pgproto3.ParameterDescription{})
	}
	m.say(&pgproto3.NoData{})
}

// run executes one statement and returns its tag, or the code of its error.
func (m *model) run(text string) (tag, code string) {
	f := strings.Fields(text)
	if m.status == 'E' && f[0] != "commit" {
		return "", "25P02"
	}
	switch f[0] {
	case "select":
		return "SELECT 0", ""
	case "delete":
		m.deleted = append(m.deleted, text)
		return "DELETE 1", ""
	case "fail":
		return "", "22012"
	case "begin":
		m.status = 'T'
	case "commit":
		m.status = 'I'
		clear(m.portals)
	case "prepare":
		if _, taken := m.statements[f[1]]; taken {
			return "", "42P05"
		}
		m.statements[f[1]] = strings.Join(f[2:], " ")
	case "deallocate":
		if f[1] == "all" {
			clear(m.statements)
			break
		}
		if _, ok := m.statements[f[1]]; !ok {
			return "", "26000"
		}
		delete(m.statements, f[1])
	case "declare":
		if _, taken := m.portals[f[1]]; taken {
			return "", "42P03"
		}
		m.portals[f[1]] = strings.Join(f[2:], " ")
	case "close":
		if _, ok := m.portals[f[1]]; !ok {
			return "", "34000"
		}
		delete(m.portals, f[1])
	case "execute":
		inner, ok := m.statements[f[1]]
		if !ok || m.depth(inner) {
			return "", "26000"
		}
		return m.run(inner)
	case "fetch":
		inner, ok := m.portals[f[1]]
		if !ok || m.depth(inner) {
			return "", "34000"
		}
		if _, code := m.run(inner); code != "" {
			return "", code
		}
		return "FETCH 1", ""
	default:
		return "", "0A000"
	}
	return strings.ToUpper(f[0]), ""
}

// depth says that a statement runs another by name, which the server does not nest.
func (m *model) depth(text string) bool {
	return strings.HasPrefix(text, "execute") || strings.HasPrefix(text, "fetch")
}
