package main

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCA(t *testing.T) {
	path := writeConfig(t, "")
	first := call(t, "ca", "-c", path)
	first.want(t, 0, "-----BEGIN CERTIFICATE-----\n", "")
	block, rest := pem.Decode([]byte(first.out))
	if block == nil || len(rest) > 0 {
		t.Fatalf("not one certificate: %s", first.out)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil || !c.IsCA || !strings.HasPrefix(c.Subject.CommonName, "Sallyport gateway ") {
		t.Errorf("%+v, %v", c, err)
	}
	if again := call(t, "ca", "--config", path); again.out != first.out {
		t.Error("the second time it is another one")
	}
	call(t, "ca", path).want(t, exitUsage, "", "one argument too many")
	call(t, "ca", "-c", path+".missing").want(t, exitFailure, "", "no such file")

	found, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*", "ca.key"))
	if err != nil || len(found) != 1 {
		t.Fatalf("where is its key? %v, %v", found, err)
	}
	if err := os.Chmod(found[0], 0o644); err != nil {
		t.Fatal(err)
	}
	call(t, "ca", "-c", path).want(t, exitFailure, "", "chmod 600")
	// A check says what is wrong with the certificate, and neither makes nor needs the key.
	if err := os.WriteFile(filepath.Join(filepath.Dir(found[0]), "ca.pem"), []byte("nonsense"), 0o644); err != nil {
		t.Fatal(err)
	}
	call(t, "check", path).want(t, exitFailure, "ca.pem must be one certificate in PEM", "")
}
