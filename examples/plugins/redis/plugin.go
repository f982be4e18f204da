package main

import (
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Families and fields, as indices into the manifest.
const (
	familyConnect = 0
	familyRedis   = 1

	fieldCommand  = 0
	fieldArgs     = 1
	fieldKeys     = 2
	fieldDB       = 3
	fieldMulti    = 4
	fieldKeyCount = 5
)

// refusedName is a command that no server has. The server's answer to it marks the place of a denial.
const refusedName = "sallyport.denied"

const stockRefused = 0

// plugin is the plugin, with the options of an endpoint.
type plugin struct{ maxCommand int }

// Manifest declares everything.
func (*plugin) Manifest() abi.Manifest {
	return abi.Manifest{
		Name: "redis", Version: "1.0.0", Doc: "The protocol of Redis 7: RESP2, RESP3, inline commands.",
		Families: []abi.Family{
			{Name: abi.FamilyConnect, Fields: []abi.Field{}},
			{Name: "redis", Doc: "One command.", Fields: []abi.Field{
				{Name: "command", Type: abi.TypeString, Doc: "the command in lower case, with its subcommand where it has those: get, config|set"},
				{Name: "args", Type: abi.TypeStrings, Role: abi.RoleText, Doc: "what stands behind the command; unknown for commands that carry passwords, and past 8 KiB"},
				{Name: "keys", Type: abi.TypeStrings, Role: abi.RoleValues, Doc: "the keys that it names; unknown where that cannot be told from the command line"},
				{Name: "db", Type: abi.TypeInt, Doc: "the database that is selected; unknown after a SELECT inside a transaction"},
				{Name: "multi", Type: abi.TypeBool, Doc: "it is queued in a transaction"},
				{Name: "key_count", Type: abi.TypeInt, Doc: "how many keys it names"},
			}},
		},
		Options: []abi.Option{{Name: "max_command", Type: abi.TypeInt, Min: 4 << 10, Max: 1 << 20, Default: int64(256 << 10),
			Doc: "bytes of one command that are read before it is asked about; of a longer one rules see only what fits"}},
		Stock: []abi.Constant{{Name: "refused", Bytes: []byte("*1\r\n$16\r\n" + refusedName + "\r\n")}},
	}
}

// Configure takes the options.
func (p *plugin) Configure(options []byte) error {
	o, err := sdk.ReadOptions(options)
	if err != nil {
		return err
	}
	p.maxCommand = int(o.Int("max_command"))
	return nil
}

// Open asks for the connection.
func (p *plugin) Open(c *sdk.Conn, _ abi.Facts) sdk.Session {
	s := &conn{maxCommand: p.maxCommand, dbKnown: true}
	s.connect = c.Ask(familyConnect, abi.ClassSession, "open a connection").Do(0, 0)
	c.Dial(s.connect)
	return s
}
