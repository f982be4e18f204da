package rewrite

import (
	"math"
	"strings"
)

// split finds the sections.
func (m *module) split(r *reader) {
	if len(r.b) > m.lim.Size {
		r.fail("module of %d bytes, the limit is %d", len(r.b), m.lim.Size)
	}
	if len(r.b) < 8 || string(r.b[:4]) != "\x00asm" {
		r.fail("not a WebAssembly module")
	}
	r.i = 4
	if v := r.bytes(4); string(v) != "\x01\x00\x00\x00" {
		r.fail("version %x is not that of a core module", v)
	}
	last := 0
	for !r.done() {
		id := r.byte()
		n := r.u32()
		if uint64(n) > uint64(len(r.b)-r.i) {
			r.fail("section of %d bytes, %d are left", n, len(r.b)-r.i)
		}
		s := r.sub(int(n))
		if id == secCustom {
			m.custom(s)
			continue
		}
		if int(id) >= len(m.sections) {
			s.fail("section %d is not supported (tags of exception handling are not)", id)
		}
		if o := order(id); o <= last {
			s.fail("section %s is out of order", sectionNames[id])
		} else {
			last = o
		}
		m.sections[id] = s
	}
}

func (m *module) custom(s *reader) {
	if len(m.out.Customs) >= m.lim.Customs {
		s.fail("more than %d custom sections", m.lim.Customs)
	}
	name := s.name(m.lim.Name)
	m.out.Customs = append(m.out.Customs, Custom{Name: name, Bytes: s.b[s.i:]})
}

func (m *module) readExports(r *reader) {
	m.out.Functions = map[string]FuncType{}
	seen := map[string]bool{}
	for range r.count("exports", m.lim.Exports) {
		e := export{name: r.name(m.lim.Name), kind: r.byte()}
		if strings.HasPrefix(e.name, prefix) {
			r.fail("export %q: names with %q are the host's", e.name, prefix)
		}
		if seen[e.name] {
			r.fail("export %q is there twice", e.name)
		}
		seen[e.name] = true
		switch e.kind {
		case 0:
			e.index = r.index("function", m.allFuncs())
			m.out.Functions[e.name] = m.typeOf(e.index)
		case 1:
			e.index = r.index("table", m.tables)
		case 2:
			mems := 0
			if m.haveMem {
				mems = 1
			}
			e.index = r.index("memory", mems)
			if m.out.Memory == "" || e.name == "memory" {
				m.out.Memory = e.name
			}
		case 3:
			e.index = r.index("global", len(m.globals))
		default:
			r.fail("export %q of kind %d is not supported", e.name, e.kind)
		}
		m.exports = append(m.exports, e)
	}
}

func (m *module) readStart(r *reader) {
	f := r.index("function", m.allFuncs())
	if t := m.typeOf(f); len(t.Params)+len(t.Results) > 0 {
		r.fail("start function of type %v", t)
	}
	m.start, m.out.Start = int(f), true
}

func (m *module) readDataCount(r *reader) {
	n := r.u32()
	if n > math.MaxInt32 {
		r.fail("%d data segments", n)
	}
	m.datas = int(n)
}
