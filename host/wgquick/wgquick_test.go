package wgquick

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const (
	private = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="
	public  = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
	good    = "[Interface]\nPrivateKey = " + private + "\nAddress = 10.89.0.2/32, fd00:89::2/128\nDNS = 10.89.0.1\nMTU = 1380\n\n" +
		"[Peer]\nPublicKey = " + public + "\nEndpoint = gw.example.com:51820\nAllowedIPs = 0.0.0.0/0, ::/0\nPersistentKeepalive = 25\n"
)

func TestParse(t *testing.T) {
	c, err := Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if c.Interface.PrivateKey.Base64() != private || c.Peer.PublicKey.Base64() != public {
		t.Error("keys differ")
	}
	got := strings.TrimSpace(fmt.Sprintln(c.Interface.Address, c.Interface.DNS, c.Interface.MTU, c.Peer.Endpoint, c.Peer.AllowedIPs, c.Peer.PersistentKeepalive))
	want := "[10.89.0.2/32 fd00:89::2/128] [10.89.0.1] 1380 gw.example.com:51820 [0.0.0.0/0 ::/0] 25"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var out bytes.Buffer
	if err := c.Write(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != good {
		t.Errorf("written:\n%s", out.String())
	}
}

// TestParseForms reads what other tools write: any case, comments, CRLF, repeated lists, bare addresses.
func TestParseForms(t *testing.T) {
	text := "\ufeff# made by hand\r\n[interface]\r\nprivatekey=" + private + " # secret\r\nADDRESS = 10.89.0.2\r\nAddress=fd00::2\r\n" +
		"[PEER]\r\nPublicKey=" + public + "\r\nEndpoint=[2001:db8::1]:51820\r\nAllowedIPs=10.1.2.3/8\r\nPersistentKeepalive=off"
	c, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.Interface.Address, c.Peer.AllowedIPs, c.Peer.PersistentKeepalive); got != "[10.89.0.2/32 fd00::2/128] [10.0.0.0/8] 0" {
		t.Error(got)
	}
}

func TestParseErrors(t *testing.T) {
	edit := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the good configuration", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	many := strings.Repeat("1.1.1.1, ", MaxList) + "1.1.1.1"
	for _, test := range []struct{ name, text, want string }{
		{"misspelt key", edit("AllowedIPs", "AlowedIP"), `10:1: unknown key "AlowedIP" in [Peer]; did you mean "AllowedIPs"?`},
		{"command", edit("MTU = 1380", "PostUp = rm -rf /"), `5:1: unknown key "PostUp" in [Interface]`},
		{"wrong section", edit("MTU = 1380", "  Endpoint = a:1"), `5:3: Endpoint belongs in [Peer], this is [Interface]`},
		{"short key", edit(private, "AAAA"), `2:14: PrivateKey: a key is 32 bytes`},
		{"zero key", edit(public, strings.Repeat("A", 43)+"="), `8:13: PublicKey: a key of 32 zero bytes`},
		{"loose bits", edit(public, public[:42]+"h="), `8:13: PublicKey: a key is 32 bytes`},
		{"second item", edit("fd00:89::2/128", "fd00::/129"), `3:25: Address: "fd00::/129" is not an address`},
		{"zone", edit("fd00:89::2/128", "fe80::1%eth0"), `3:25: Address: "fe80::1%eth0"`},
		{"mapped", edit("10.89.0.1", "::ffff:10.0.0.1"), `4:7: DNS: "::ffff:10.0.0.1" is not an IP address`},
		{"search domain", edit("10.89.0.1", "corp.example"), `search domains are not supported`},
		{"empty item", edit("10.89.0.1", "10.89.0.1,"), `4:17: DNS: ""`},
		{"list too long", edit("10.89.0.1", many), `DNS: more than 256 entries`},
		{"MTU", edit("1380", "1279"), `5:7: MTU: "1279" is not a number within 1280 and 65535`},
		{"keepalive", edit("25", "-1"), `11:23: PersistentKeepalive: "-1"`},
		{"endpoint without port", edit(":51820", ""), `9:12: Endpoint: "gw.example.com" is not host:port`},
		{"endpoint with space", edit("gw.example", "gw example"), `9:12: Endpoint`},
		{"port 0", edit("51820", "0"), `9:12: Endpoint`},
		{"twice", good + "Endpoint = a:1\n", `12:1: second Endpoint, the first is in line 9`},
		{"second peer", good + "[Peer]\n", `12:1: second [Peer], the first is in line 7`},
		{"unknown section", good + "[Peers]\n", `12:1: unknown section "[Peers]"`},
		{"no section", "MTU = 1400\n", `1:1: "MTU" comes before [Interface] or [Peer]`},
		{"no equals", edit("MTU = 1380", "MTU 1380"), `5:1: expected a [section] or key = value`},
		{"missing key", edit("PublicKey = "+public, ""), `12:1: [Peer] lacks PublicKey`},
		{"empty", "", `1:1: [Interface] lacks PrivateKey`},
		{"too large", good + strings.Repeat("#", MaxSize), `1:1: the configuration is larger than 65536 bytes`},
		{"not text", good + "#\xff", `1:1: the configuration is not UTF-8 text`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse([]byte(test.text))
			var parseError *ParseError
			if !errors.As(err, &parseError) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), private) {
				t.Error("the error shows the private key")
			}
		})
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peer.conf")
	if _, err := Load(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(path, []byte("[Peer]\nx = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.HasPrefix(err.Error(), path+":2:1: unknown key") {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err != nil {
		t.Error(err)
	}
}

func TestKeysAreNotPrinted(t *testing.T) {
	c, err := Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	first := fmt.Sprint(c.Interface.PrivateKey[0])
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		if text := fmt.Sprintf(verb, c.Interface.PrivateKey); strings.Contains(text, first) || !strings.Contains(text, "key") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
	if text := fmt.Sprintf("%+v", *c); !strings.Contains(text, "PrivateKey:[key]") {
		t.Error(text)
	}
}

func TestWriteRefusesWhatParseWouldRefuse(t *testing.T) {
	c, err := Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	c.Peer.Endpoint = "host:1\nPostUp = id"
	if err := c.Write(&bytes.Buffer{}); err == nil {
		t.Error("an endpoint with a line feed was written")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("[Interface]\nAddress=::1/0,1.1.1.1\n[Peer]\nEndpoint=[fe80::1%a]:1"))
	f.Add([]byte("\ufeff[peer]=#[\n=\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := Parse(data)
		if err != nil {
			var parseError *ParseError
			if !errors.As(err, &parseError) || parseError.Line < 1 || parseError.Column < 1 || len(err.Error()) > 1000 {
				t.Fatalf("bad error %v", err)
			}
			return
		}
		var text bytes.Buffer
		if err := first.Write(&text); err != nil {
			t.Fatalf("parsed, but cannot be written: %v", err)
		}
		second, err := Parse(text.Bytes())
		if err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("round trip: %v\n%+v\n%+v", err, first, second)
		}
	})
}
