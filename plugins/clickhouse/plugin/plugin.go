// Package plugin is the ClickHouse plugin: an endpoint speaks one of the server's two interfaces, the native protocol (package session) or HTTP.
package plugin

import (
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/http"
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/session"
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql"
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/zstd"
	"github.com/sallyport-dev/sallyport/plugins/http/decode"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Values of the option protocol.
const (
	protocolNative = "native"
	protocolHTTP   = "http"
)

// Plugin is the plugin, with the options of an endpoint.
type Plugin struct {
	// Classify says what a text does; nil: package sql does.
	Classify func(text []byte, v sql.Version) *sql.Facts

	protocol string
	native   session.Native
	http     http.Options
}

// Manifest declares everything.
func (*Plugin) Manifest() abi.Manifest {
	return abi.Manifest{
		Name: "clickhouse", Version: "0.1.0",
		Doc:      "ClickHouse, native protocol and HTTP: every statement is read by a grammar that refuses what it does not know, and decided before the server sees it.",
		Families: []abi.Family{session.ConnectFamily, session.SQLFamily, session.ResponseFamily},
		Stock:    session.Stock(),
		TLS:      &abi.TLSWords{Protocols: []string{"http/1.1"}, First: true},
		Options: []abi.Option{
			{Name: "protocol", Type: abi.TypeString, Values: []string{protocolNative, protocolHTTP}, Default: protocolNative,
				Doc: "which of the server's interfaces the endpoint's address is: its native protocol (usually port 9000, 9440 with TLS) or HTTP (8123, 8443)"},
			{Name: "max_query", Type: abi.TypeInt, Min: session.MinMaxQuery, Max: session.MaxMaxQuery, Default: session.DefaultMaxQuery,
				Doc: "the longest text of a query in bytes that is read; a longer one ends the connection. Data has no limit."},
		},
		Slots: []abi.Slot{
			session.SlotPassword:     {Name: session.SlotName, Form: "clickhouse", Doc: "the password with which the gateway logs in, so that the agent needs none; for the native protocol"},
			session.SlotHTTPPassword: {Name: session.SlotNameHTTP, Form: "header", Doc: "the same for HTTP, sent as X-ClickHouse-Key"},
		},
		Companions: []abi.Companion{
			session.CompanionDecode: {Name: decode.Companion},
			session.CompanionZSTD:   {Name: zstd.Companion},
		},
		Attributes: []abi.CredentialAttribute{
			{Name: "user", Doc: "the user to log in as; without it the one that the agent names"},
			{Name: "database", Doc: "the database to open; without it the one that the agent names"},
		},
	}
}

// Configure takes the options.
func (p *Plugin) Configure(options []byte) error {
	o, err := sdk.ReadOptions(options)
	if err != nil {
		return err
	}
	if err := session.CheckMaxQuery(o.Int("max_query")); err != nil {
		return err
	}
	p.protocol = o.String("protocol")
	p.native = session.Native{MaxQuery: int(o.Int("max_query")), Classify: p.Classify}
	if p.Classify == nil {
		// One connection has one guest, so that there is one reader at a time; natively each connection configures its own plugin.
		p.native.Classify = new(sql.Reader).Read
	}
	p.http = http.Options{MaxQuery: p.native.MaxQuery, Classify: p.native.Classify, Slot: session.SlotHTTPPassword, SlotName: session.SlotNameHTTP}
	return nil
}

// Open begins a connection.
func (p *Plugin) Open(c *sdk.Conn, f abi.Facts) sdk.Session {
	if p.protocol == protocolHTTP {
		return p.http.New(f)
	}
	return p.native.New(c, f)
}
