package wasmtest

// Where the modules of this package keep their buffers.
const (
	Table     = 16 // address of the table of buffers
	In        = 0x10000
	Out       = 0x20000
	Cap       = 0x10000
	Scratch   = 0x30000 // 64 KiB for the test's own use
	Manifest  = 0x400
	BasePages = 4
)

// Plugin describes a plugin by the bodies of its functions. A nil body is a harmless default: open, data and event echo what they get.
type Plugin struct {
	Manifest string // default: {"name":"test"}
	Pages    uint32 // default: BasePages
	MaxPages []uint32
	Buffers  []uint32 // the words at Table; default: In, Cap, Out, Cap
	Locals   []byte   // of every function

	Init, ABI, BuffersBody, Describe, Configure, Open, Data, Event []byte

	// Prepare adds imports, before any function. Finish adds what else there is.
	Prepare, Finish func(*Module)
	// Skip leaves exports out; Signature changes the type of one, as parameters and results.
	Skip      map[string]bool
	Signature map[string][2][]byte
}

// Words stores u32 numbers as bytes.
func Words(ws ...uint32) (b []byte) {
	for _, w := range ws {
		b = append(b, byte(w), byte(w>>8), byte(w>>16), byte(w>>24))
	}
	return b
}

// Echo copies the n bytes in the buffer in, where n is a local, to out and returns n.
func Echo(local uint32) []byte {
	return Code(I32Const(Out), I32Const(In), Get(local), MemoryCopy(), Get(local))
}

// Answer writes a text to out and returns its length.
func Answer(text string) []byte {
	var c []byte
	for k, b := range []byte(text) {
		c = Code(c, I32Const(int32(Out+k)), I32Const(int32(b)), Store8(0))
	}
	return Code(c, I32Const(int32(len(text))))
}

// Build returns the module.
func (p Plugin) Build() []byte { return p.Module().Bytes() }

// Module returns the module under construction.
func (p Plugin) Module() *Module {
	m := &Module{}
	if p.Prepare != nil {
		p.Prepare(m)
	}
	manifest := p.Manifest
	if manifest == "" {
		manifest = `{"name":"test"}`
	}
	words := p.Buffers
	if words == nil {
		words = []uint32{In, Cap, Out, Cap, 0}
	}
	pages := p.Pages
	if pages == 0 {
		pages = BasePages
	}
	m.Memory(pages, p.MaxPages...)
	m.Data(Table, Words(words...))
	m.Data(Manifest, []byte(manifest))
	n := int32(len(manifest))
	add := func(name string, params int, results []byte, body, def []byte) {
		if p.Skip[name] {
			return
		}
		if body == nil {
			body = def
		}
		ps := []byte{I32, I32, I32}[:params]
		if s, ok := p.Signature[name]; ok {
			ps, results = s[0], s[1]
		}
		m.Func(name, ps, results, p.Locals, body)
	}
	i32 := []byte{I32}
	add("_initialize", 0, nil, p.Init, nil)
	add("sallyport_abi", 0, i32, p.ABI, I32Const(0))
	add("sallyport_buffers", 0, i32, p.BuffersBody, I32Const(Table))
	add("sallyport_describe", 0, i32, p.Describe, Code(I32Const(Out), I32Const(Manifest), I32Const(n), MemoryCopy(), I32Const(n)))
	add("sallyport_configure", 1, i32, p.Configure, I32Const(0))
	add("sallyport_open", 1, i32, p.Open, Echo(0))
	add("sallyport_data", 3, i32, p.Data, Echo(1))
	add("sallyport_event", 1, i32, p.Event, Echo(0))
	if p.Finish != nil {
		p.Finish(m)
	}
	return m
}

// Companion describes a companion by the bodies of its functions; the default echoes.
type Companion struct {
	Pages   uint32
	Locals  []byte
	Init    []byte
	Warm    []byte
	Call    []byte
	Prepare func(*Module)
	Finish  func(*Module)
}

// Build returns the module.
func (c Companion) Build() []byte {
	m := &Module{}
	if c.Prepare != nil {
		c.Prepare(m)
	}
	pages := c.Pages
	if pages == 0 {
		pages = BasePages
	}
	m.Memory(pages)
	m.Data(Table, Words(In, Cap, Out, Cap, 0))
	if c.Init != nil {
		m.Func("_initialize", nil, nil, c.Locals, c.Init)
	}
	if c.Warm != nil {
		m.Func("sallyport_warm", nil, nil, c.Locals, c.Warm)
	}
	m.Func("sallyport_buffers", nil, []byte{I32}, nil, I32Const(Table))
	call := c.Call
	if call == nil {
		call = Echo(0)
	}
	m.Func("sallyport_call", []byte{I32}, []byte{I32}, c.Locals, call)
	if c.Finish != nil {
		c.Finish(m)
	}
	return m.Bytes()
}
