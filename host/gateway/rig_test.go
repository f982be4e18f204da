package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/tunnel"
	"github.com/sallyport-dev/sallyport/host/tunnel/tunneltest"
	"github.com/sallyport-dev/sallyport/plugins"
)

// patience is how long a test waits for something that must happen.
const patience = 2 * time.Minute

// cacheDir keeps compiled plugins between runs of the tests: compiling under the race detector is slow.
var cacheDir string

func TestMain(m *testing.M) {
	own, err := os.MkdirTemp("", "sallyport-gateway")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	cacheDir = filepath.Join(own, "cache")
	if dir, err := os.UserCacheDir(); err == nil { // the folder that the tests of `sallyport check` use as well
		shared := filepath.Join(dir, "sallyport-test", "sallyport", "compiled")
		if os.MkdirAll(shared, 0o700) == nil {
			cacheDir = shared
		}
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(own)
		os.Exit(code)
	}))
}

// testKeys are the keys of the peers that every test gateway has: alice of profile "dev" and bob of profile "ops".
type testKeys struct{ alice, bob tunnel.Key }

var (
	network = netip.MustParsePrefix("10.89.0.0/16")
	aliceIP = netip.MustParseAddr("10.89.0.2")
	bobIP   = netip.MustParseAddr("10.89.0.3")
)

// world is a configuration on disk with its peers, and perhaps a gateway that serves it.
type world struct {
	t    testing.TB
	dir  string
	path string
	keys testKeys
	log  *lockedBuffer

	change   func(*Assembly) // before it serves; may be nil
	assembly *Assembly
	running  Running
	agents   map[tunnel.Key]*tunneltest.Agent // of this serving
	stop     func() error                     // ends the gateway, once
}

// newWorld writes a configuration of the given tables (all but [gateway] and [[peer]]) into a fresh folder.
func newWorld(t testing.TB, tables string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), keys: testKeys{tunnel.NewPrivateKey(), tunnel.NewPrivateKey()}, log: &lockedBuffer{}, agents: map[tunnel.Key]*tunneltest.Agent{}}
	w.path = filepath.Join(w.dir, "sallyport.toml")
	w.write(tables)
	return w
}

// write writes the configuration anew; state and peers stay.
func (w *world) write(tables string) {
	w.t.Helper()
	text := fmt.Sprintf("[gateway]\nlisten = \"127.0.0.1:0\"\nnetwork = %q\nstate = \"state\"\n\n", network)
	text += peerTable("alice", "dev", w.keys.alice, aliceIP) + peerTable("bob", "ops", w.keys.bob, bobIP) + tables
	if err := os.WriteFile(w.path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func peerTable(name, profile string, key tunnel.Key, address netip.Addr) string {
	public := key.Public()
	return fmt.Sprintf("[[peer]]\nname = %q\npublic_key = %q\nprofile = %q\naddress = %q\n\n", name,
		base64.StdEncoding.EncodeToString(public[:]), profile, address)
}

func (w *world) load() (*config.Config, error) {
	return config.Load(w.path, config.Known{Builtins: plugins.Names(), Packs: KnownPacks()})
}

// assemble assembles the configuration; the test's end closes it.
func (w *world) assemble() (*Assembly, error) {
	w.t.Helper()
	cfg, err := w.load()
	if err != nil {
		return nil, err
	}
	a, err := Assemble(context.Background(), cfg, Options{CacheDir: cacheDir, Logger: slog.New(slog.NewTextHandler(w.log, nil))})
	if err == nil {
		w.t.Cleanup(func() {
			if err := a.Close(); err != nil {
				w.t.Errorf("close the assembly: %v", err)
			}
		})
	}
	return a, err
}

// serve assembles and serves; the test's end stops it.
func (w *world) serve() {
	w.t.Helper()
	var err error
	if w.assembly, err = w.assemble(); err != nil {
		w.t.Fatal(err)
	}
	if w.change != nil {
		w.change(w.assembly)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan Running, 1), make(chan error, 1)
	go func() { done <- w.assembly.Serve(ctx, func(r Running) { ready <- r }) }()
	told := false
	stop := sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	w.stop = func() error {
		told = true
		return stop()
	}
	w.t.Cleanup(func() {
		if err := stop(); err != nil && !told {
			w.t.Errorf("serve: %v", err)
		}
	})
	select {
	case w.running = <-ready:
		clear(w.agents)
	case err := <-done:
		done <- err
		w.t.Fatalf("serve ended before it was ready: %v", err)
	}
}

// served is newWorld and serve.
func served(t testing.TB, tables string) *world {
	t.Helper()
	w := newWorld(t, tables)
	w.serve()
	return w
}

func (w *world) alice() *tunneltest.Agent { return w.agent(w.keys.alice, aliceIP) }
func (w *world) bob() *tunneltest.Agent   { return w.agent(w.keys.bob, bobIP) }

// agent is the one machine of a peer while this gateway serves: of two machines with one key, WireGuard answers the one that spoke last.
func (w *world) agent(key tunnel.Key, address netip.Addr) *tunneltest.Agent {
	w.t.Helper()
	if a := w.agents[key]; a != nil {
		return a
	}
	a := tunneltest.New(w.t, tunneltest.Options{
		Endpoint:   netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), w.running.Port),
		GatewayKey: w.running.PublicKey, PrivateKey: key, Network: network, Address: address,
	})
	w.agents[key] = a
	return a
}

// receipts are the records so far.
func (w *world) receipts() []*receipt.Entry {
	w.t.Helper()
	return readReceipts(w.t, filepath.Join(w.dir, "state", "receipts.jsonl"))
}

// readReceipts reads what is complete; the gateway may be writing.
func readReceipts(t testing.TB, path string) []*receipt.Entry {
	t.Helper()
	var all []*receipt.Entry
	for e, err := range receipt.Read(path, receipt.ReadOptions{}) {
		if err != nil || e.Kind == receipt.Checkpoint {
			continue // a line that is being written, or one of the log's own
		}
		all = append(all, e)
	}
	return all
}

// find waits for a record.
func (w *world) find(what string, is func(*receipt.Entry) bool) *receipt.Entry {
	w.t.Helper()
	var found *receipt.Entry
	until(w.t, "there is a receipt: "+what, func() bool {
		all := w.receipts()
		if i := slices.IndexFunc(all, is); i >= 0 {
			found = all[i]
		}
		return found != nil
	})
	return found
}

// end waits for the record of the end of the connection to an endpoint, the only one of its peer.
func (w *world) end(peer, endpoint string) *receipt.Entry {
	w.t.Helper()
	return w.find("the end of "+peer+" at "+endpoint, func(e *receipt.Entry) bool {
		return e.Kind == receipt.End && e.Peer == peer && e.Endpoint == endpoint
	})
}

// ends waits for the records of n ends of connections of a peer to an endpoint.
func (w *world) ends(peer, endpoint string, n int) {
	w.t.Helper()
	until(w.t, fmt.Sprintf("there are %d ends of %s at %s", n, peer, endpoint), func() bool {
		return n == count(w.receipts(), func(e *receipt.Entry) bool {
			return e.Kind == receipt.End && e.Peer == peer && e.Endpoint == endpoint
		})
	})
}

// count counts records.
func count(all []*receipt.Entry, is func(*receipt.Entry) bool) (n int) {
	for _, e := range all {
		if is(e) {
			n++
		}
	}
	return n
}

func isDecision(endpoint string, outcome receipt.Outcome) func(*receipt.Entry) bool {
	return func(e *receipt.Entry) bool {
		return e.Kind == receipt.Decision && e.Endpoint == endpoint && e.Outcome == outcome
	}
}

// until waits for a condition.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func wait(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// client is an agent's connection.
type client struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

func dial(t testing.TB, a *tunneltest.Agent, to string) *client {
	t.Helper()
	c, err := a.DialContext(wait(t), "tcp", to)
	if err != nil {
		t.Fatalf("dial %s: %v", to, err)
	}
	t.Cleanup(func() { c.Close() })
	k := &client{t, c, bufio.NewReader(c)}
	k.more()
	return k
}

// more gives what follows all the patience again.
func (c *client) more() {
	c.t.Helper()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		c.t.Fatal(err)
	}
}

// says sends text and expects an answer.
func (c *client) says(text, answer string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatalf("write %q: %v", text, err)
	}
	got := make([]byte, len(answer))
	if n, err := io.ReadFull(c.r, got); err != nil || string(got) != answer {
		c.t.Fatalf("%q was answered with %q (%v), want %q", text, got[:n], err, answer)
	}
}

// rest reads to the end, and ends the agent's side.
func (c *client) rest() (string, error) {
	b, err := io.ReadAll(c.r)
	c.Close()
	return string(b), err
}

// upstream is a server on loopback that answers each line with "ok" and the line. It counts connections and keeps what it got.
type upstream struct {
	net.Listener
	accepts atomic.Int64
	ended   atomic.Int64 // connections of which all that came is in got
	got     lockedBuffer
	// first, if set, is called when the first byte of a connection has come.
	first func()
	group sync.WaitGroup
}

func newUpstream(t testing.TB, first func()) *upstream {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &upstream{Listener: l, first: first}
	u.group.Go(u.accept)
	t.Cleanup(func() {
		u.Close()
		u.group.Wait()
	})
	return u
}

func (u *upstream) accept() {
	for {
		c, err := u.Accept()
		if err != nil {
			return
		}
		u.accepts.Add(1)
		u.group.Go(func() { u.answer(c) })
	}
}

func (u *upstream) answer(c net.Conn) {
	defer u.ended.Add(1)
	defer c.Close()
	r := bufio.NewReader(c)
	if _, err := r.Peek(1); err == nil && u.first != nil {
		u.first()
	}
	for {
		line, err := r.ReadString('\n')
		u.got.Write([]byte(line))
		if err != nil {
			return
		}
		if _, err := io.WriteString(c, "ok "+line); err != nil {
			return
		}
	}
}

func (u *upstream) address() string { return u.Addr().String() }

// tables of configurations

func endpointTable(name, address, plugin string, profiles ...string) string {
	return fmt.Sprintf("[[endpoint]]\nname = %q\naddress = %q\nplugin = %q\nprofiles = [%s]\n\n", name, address, plugin, quoted(profiles))
}

func quoted(words []string) string {
	q := make([]string, len(words))
	for i, w := range words {
		q[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(q, ", ")
}

func ruleTable(name, when, then, more string) string {
	return fmt.Sprintf("[[rule]]\nname = %q\nwhen = '%s'\nthen = %q\n%s\n\n", name, when, then, more)
}

// allowConnect lets every connection be opened.
var allowConnect = ruleTable("connect", `action.family == "connect"`, "allow", "")

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
