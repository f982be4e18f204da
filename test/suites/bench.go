package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/sallyport-dev/sallyport/test/pgserver"
	"github.com/sallyport-dev/sallyport/test/rig"
)

// bench makes the sides of a comparison.
type bench struct {
	dir    string
	binary string
	cache  string // of compiled plugins, once there is one
	rounds int
}

func newBench(ctx context.Context, dir string) (*bench, error) {
	binary, err := rig.Build(ctx, dir)
	return &bench{dir: dir, binary: binary}, err
}

// allowAll is a gateway that decides about everything and denies nothing.
const allowAll = `
[plugins]
postgres = "builtin"

[[endpoint]]
name = "db"
address = "127.0.0.1:%d"
plugin = "postgres"
profiles = ["agents"]

[[rule]]
name = "everything"
when = "true"
then = "allow"
`

// side is a server of its own, and the way to it.
type side struct {
	dir string
	pg  *pgserver.Server
	gw  *rig.Gateway // nil: directly
}

func (b *bench) open(ctx context.Context, at, dir string) (s *side, err error) {
	s = &side{dir: dir}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if err := os.Mkdir(dir, 0o755); err != nil {
		return s, err
	}
	s.pg, err = pgserver.Start(ctx, pgserver.Options{
		Settings: map[string]string{"max_prepared_transactions": "10", "wal_level": "logical", "autovacuum": "off"},
		UserAuth: map[string]string{"pqgopassword": "password", "pqgoscram": "scram-sha-256", "pqgomd5": "md5", "pqgossl": "reject", "pqgosslcert": "reject"},
	})
	if err != nil || at == "direct" {
		return s, err
	}
	gw, err := rig.New(ctx, b.binary, dir, fmt.Sprintf(allowAll, s.pg.Port))
	if err != nil {
		return s, err
	}
	if b.cache != "" {
		if err := rig.CopyCache(gw.Cache(), b.cache); err != nil {
			return s, err
		}
	}
	s.gw = gw
	if err := gw.Serve(ctx); err != nil {
		return s, err
	}
	if b.cache == "" {
		b.cache = filepath.Join(b.dir, "compiled")
		err = rig.CopyCache(b.cache, gw.Cache())
	}
	return s, err
}

func (s *side) close() {
	if s.gw != nil {
		_ = s.gw.Stop()
		_ = os.WriteFile(filepath.Join(s.dir, "gateway.log"), []byte(s.gw.Log()), 0o644)
	}
	if s.pg != nil {
		_ = os.WriteFile(filepath.Join(s.dir, "server.log"), []byte(s.pg.Log()), 0o644)
		s.pg.Stop()
	}
}

// host is what the server is called at this side.
func (s *side) host() string {
	if s.gw != nil {
		return "db"
	}
	return "127.0.0.1"
}

func (s *side) port() string { return strconv.Itoa(s.pg.Port) }

// command is a program at this side.
func (s *side) command(ctx context.Context, program ...string) *exec.Cmd {
	if s.gw != nil {
		return s.gw.Agent(ctx, program...)
	}
	cmd := exec.CommandContext(ctx, program[0], program[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	return cmd
}

// psql runs SQL on the server itself.
func (s *side) psql(ctx context.Context, database, sql string) error {
	_, err := s.pg.Psql(ctx, database, sql)
	return err
}
