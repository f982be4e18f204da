package gateway

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sallyport-dev/sallyport/host/receipt"
)

// TestRefusedLogin: a password that a command has said an hour before is not taken any more. The gateway runs the command again and logs in anew in the
// same connection, of which the agent notices nothing. Where there is no newer password the operator is told what the server says, and the agent is not.
func TestRefusedLogin(t *testing.T) {
	db := newDatabase(t)
	w := newWorld(t, "")
	password, command, runs := filepath.Join(w.dir, "password"), filepath.Join(w.dir, "command"), filepath.Join(w.dir, "runs")
	script := "#!/bin/sh\necho run >>" + runs + "\ncat " + password + "\n"
	if err := os.WriteFile(command, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	role := func(value string) {
		t.Helper()
		if _, err := db.Psql(wait(t), "postgres", "alter role scram password '"+value+"'"); err != nil {
			t.Fatal(err)
		}
	}
	says := func(value string) {
		t.Helper()
		if err := os.WriteFile(password, []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	role(canary + "-first")
	says(canary + "-first")
	write(t, filepath.Join(w.dir, "ca.pem"), db.ca.PEM)
	tables := "[plugins]\npostgres = \"builtin\"\n\n[secrets]\nrefresh = \"1h\"\n\n"
	ends := map[string]string{"clear": `tls = "disable"`, "bound": "tls = \"verify-full\"\nca = \"ca.pem\"\nserver_name = \"db.internal\""}
	for name, transport := range ends {
		tables += loginTable(name, db.Address(), transport) + fmt.Sprintf("[[credential]]\nname = %q\nuser = \"scram\"\npassword = %q\n\n", name, "cmd:"+command)
	}
	w.write(tables + loginRules)
	w.serve()
	alice := w.alice()
	works := func(when string) {
		t.Helper()
		for name := range ends {
			who, err := try(t, alice, name, db.Address(), "sslmode=disable", nil)
			if err != nil || who != fmt.Sprint("scram ", name == "bound") {
				t.Fatalf("%s, %s: %q, %v", when, name, who, err)
			}
		}
	}
	works("at first")
	for i, value := range []string{canary + "-second", canary + "-third"} {
		time.Sleep(1100 * time.Millisecond) // the command has just run, and is not run again for a second
		says(value)
		role(value)
		works(value)
		if n := strings.Count(readFile(t, runs), "run"); n != 2+i {
			t.Errorf("the command ran %d times", n)
		}
	}
	if log := w.log.String(); !strings.Contains(log, "an upstream does not take the gateway's credential") || !strings.Contains(log, "password authentication failed") || strings.Contains(log, canary) {
		t.Errorf("the gateway's log:\n%s", log)
	}
	// Nothing newer is there.
	time.Sleep(1100 * time.Millisecond)
	role(canary + "-fourth")
	for name := range ends {
		_, err := try(t, alice, name, db.Address(), "sslmode=disable", nil)
		if err == nil || !strings.Contains(err.Error(), "the upstream refuses the gateway's login (SQLSTATE 28P01)") || strings.Contains(err.Error(), "authentication failed") {
			t.Errorf("%s: %v", name, err)
		}
		w.find("its end", func(e *receipt.Entry) bool { return e.Kind == receipt.End && e.Endpoint == name && e.FailClosed })
	}
	// A newer one is there, which is not taken either: two logins and no third.
	time.Sleep(1100 * time.Millisecond)
	says(canary + "-wrong")
	before := strings.Count(w.log.String(), "does not take")
	if _, err := try(t, alice, "clear", db.Address(), "sslmode=disable", nil); err == nil || !strings.Contains(err.Error(), "refuses the gateway's login") {
		t.Errorf("with a wrong newer password: %v", err)
	}
	if n := strings.Count(w.log.String(), "does not take") - before; n != 2 {
		t.Errorf("%d logins were refused", n)
	}
	says(canary + "-fourth")
	time.Sleep(1100 * time.Millisecond)
	works("at last")
}

// TestRefusedSSHLogin: the same at an upstream of SSH, where the host logs in.
func TestRefusedSSHLogin(t *testing.T) {
	host := sshSigner(t)
	var accepted atomic.Value
	var logins atomic.Int32
	accepted.Store(canary + "-first")
	address := sshServer(t, host, &ssh.ServerConfig{PasswordCallback: func(_ ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
		if logins.Add(1); string(p) != accepted.Load() {
			return nil, errors.New("no")
		}
		return &ssh.Permissions{}, nil
	}})
	w := newWorld(t, "")
	password := filepath.Join(w.dir, "password")
	write(t, password, []byte(canary+"-first\n"))
	w.write("[plugins]\nssh = \"builtin\"\n\n[secrets]\nrefresh = \"1h\"\n\n" + fmt.Sprintf("[[endpoint]]\nname = \"box\"\naddress = %q\nplugin = \"ssh\"\nprofiles = { dev = \"box\" }\nhost_key = %q\n\n", address, publicLine(host)) +
		fmt.Sprintf("[[credential]]\nname = \"box\"\nuser = \"app\"\npassword = %q\n\n", "cmd:/bin/cat "+password) + loginRules)
	w.serve()
	alice := w.alice()
	login := func() error {
		k := dial(t, alice, "box:"+port(address))
		defer k.Close()
		conn, _, _, err := ssh.NewClientConn(k.Conn, address, &ssh.ClientConfig{User: "agent", HostKeyCallback: ssh.InsecureIgnoreHostKey()})
		if err == nil {
			err = conn.Close()
		}
		return err
	}
	if err := login(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // the command has just run, and is not run again for a second
	accepted.Store(canary + "-second")
	write(t, password, []byte(canary+"-second\n"))
	if err := login(); err != nil || logins.Load() != 3 {
		t.Errorf("after %d logins: %v", logins.Load(), err)
	}
	time.Sleep(1100 * time.Millisecond)
	accepted.Store(canary + "-third")
	if err := login(); err == nil || logins.Load() != 4 {
		t.Errorf("with a password that is no more, after %d logins: %v", logins.Load(), err)
	}
	if log := w.log.String(); strings.Count(log, "does not take the gateway's credential") != 2 || strings.Contains(log, canary) {
		t.Errorf("the gateway's log:\n%s", log)
	}
}
