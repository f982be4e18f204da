package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// idleUpstream is the first argument of this command when it stands in for a server with thousands of sessions: PostgreSQL has a
// process for each, which for 10,000 takes more memory than the machine has.
const idleUpstream = "idle-upstream"

// runIdleUpstream prints its port and serves until its standard input ends.
func runIdleUpstream([]string) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer l.Close()
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	go func() {
		for n := uint32(1); ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_ = idleSession(c, n) // what it did not like the agent finds out
			}()
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// idleSession says what PostgreSQL 15 says to a login without a password, and answers statements with one row.
func idleSession(c net.Conn, process uint32) error {
	b := pgproto3.NewBackend(c, c)
	if _, err := b.ReceiveStartupMessage(); err != nil {
		return err
	}
	b.Send(&pgproto3.AuthenticationOk{})
	for _, status := range strings.Fields(`application_name= client_encoding=UTF8 DateStyle=ISO,MDY default_transaction_read_only=off in_hot_standby=off integer_datetimes=on
		IntervalStyle=postgres is_superuser=on server_encoding=UTF8 server_version=15.14 session_authorization=postgres standard_conforming_strings=on TimeZone=Etc/UTC`) {
		name, value, _ := strings.Cut(status, "=")
		b.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
	}
	b.Send(&pgproto3.BackendKeyData{ProcessID: process, SecretKey: []byte{1, 2, 3, byte(process)}})
	ready := &pgproto3.ReadyForQuery{TxStatus: 'I'}
	b.Send(ready)
	for {
		if err := b.Flush(); err != nil {
			return err
		}
		m, err := b.Receive()
		if err != nil {
			return err
		}
		switch m.(type) {
		case *pgproto3.Query:
			b.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("?column?"), DataTypeOID: 23, DataTypeSize: 4, TypeModifier: -1}}})
			b.Send(&pgproto3.DataRow{Values: [][]byte{[]byte("1")}})
			b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
			b.Send(ready)
		case *pgproto3.Terminate:
			return nil
		default:
			return fmt.Errorf("a %T, which idle sessions do not send", m)
		}
	}
}
