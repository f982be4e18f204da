package client

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// CAVariable names, for the command, a file with the certificate of the gateway's CA alone, for programs that want to be told.
const CAVariable = "SALLYPORT_CA"

// javaVariable holds options for every Java virtual machine.
const javaVariable = "JAVA_TOOL_OPTIONS"

// A trustVariable names a file of roots for some programs.
type trustVariable struct {
	name string
	// adds says that the roots are added to those that the program knows by itself; else they are all that it trusts.
	adds bool
	// else names variables that the same programs look at when this one is not set, in their order.
	otherwise []string
}

// trustVariables are the variables that make programs trust roots. PGSSLROOTCERT is not among them: psql would verify certificates
// that it does not verify now, also where the gateway is not in between.
var trustVariables = []trustVariable{
	{name: "SSL_CERT_FILE"}, // OpenSSL and what is built on it, Go, Rust, Ruby, Python
	{name: "CURL_CA_BUNDLE", otherwise: []string{"SSL_CERT_FILE"}},
	{name: "REQUESTS_CA_BUNDLE", otherwise: []string{"CURL_CA_BUNDLE"}},
	{name: "AWS_CA_BUNDLE", otherwise: []string{"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}},
	{name: "GIT_SSL_CAINFO"},
	{name: "CARGO_HTTP_CAINFO", otherwise: []string{"SSL_CERT_FILE"}},
	{name: "PIP_CERT", otherwise: []string{"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}},
	{name: "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"},
	{name: "NODE_EXTRA_CA_CERTS", adds: true}, // Node and Bun
	{name: "DENO_CERT", adds: true},
}

// systemRoots are the files in which systems keep the roots that they trust; the first that is there counts.
var systemRoots = []string{
	"/etc/ssl/certs/ca-certificates.crt",                // Debian, Alpine, Arch
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora, RHEL
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem", // SUSE
	"/etc/ssl/certs/ca-bundle.crt",
	"/etc/ssl/cert.pem",
}

// truster makes a command trust the gateway's CA.
type truster struct {
	lookup func(name string) (string, bool)
	read   func(path string) ([]byte, error)
	// write makes a file that everybody can read, and returns its path.
	write func(name string, data []byte) (string, error)

	ca    *pem.Block
	notes []string
	set   map[string]string
	files map[string]string // that were merged, by what was merged into them
}

// trust finds which variables have to be set to which values so that programs trust ca beside what they trust now, and writes the
// files that they name. Variables that are set already name files that are merged with it. The notes say what could not be done.
func (t *truster) trust(ca []byte) (set map[string]string, notes []string, err error) {
	if t.ca, err = oneCA(ca); err != nil {
		return nil, nil, err
	}
	t.set, t.files = map[string]string{}, map[string]string{}
	own, err := t.write("ca.pem", pem.EncodeToMemory(t.ca))
	if err != nil {
		return nil, nil, err
	}
	t.set[CAVariable] = own
	roots := t.system()
	for _, v := range trustVariables {
		if err := t.variable(v, own, roots); err != nil {
			return nil, nil, err
		}
	}
	return t.set, t.notes, t.java(roots)
}

// oneCA reads what the gateway gave.
func oneCA(text []byte) (*pem.Block, error) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("the gateway's answer is not one certificate")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the gateway's certificate: %w", err)
	}
	if !c.IsCA {
		return nil, errors.New("the gateway's certificate is not one of an authority")
	}
	return &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}, nil
}

// system are the roots of the system; none where it has none.
func (t *truster) system() [][]byte {
	for _, path := range systemRoots {
		if text, err := t.read(path); err == nil {
			return certificates(text)
		}
	}
	return nil
}

// variable sets one variable, unless the user has set it to something that cannot be merged.
func (t *truster) variable(v trustVariable, own string, roots [][]byte) error {
	from, path := v.name, ""
	for _, name := range append([]string{v.name}, v.otherwise...) {
		value, ok := t.lookup(name)
		if ok && value == "" && name == v.name {
			t.notes = append(t.notes, name+" is set to nothing and stays so: programs that look at it may not trust the gateway's CA")
			return nil
		}
		if ok && value != "" {
			from, path = name, value
			break
		}
	}
	if path == "" {
		if v.adds {
			t.set[v.name] = own
			return nil
		}
		return t.merge(v.name, "the system", roots)
	}
	text, err := t.read(path)
	theirs := certificates(text)
	if err == nil && len(theirs) == 0 {
		err = errors.New("it holds no certificate in PEM")
	}
	if err != nil {
		t.notes = append(t.notes, fmt.Sprintf("%s stays as it is, so programs that look at it do not trust the gateway's CA: %s cannot be merged: %v", v.name, from, err))
		return nil
	}
	return t.merge(v.name, path, theirs)
}

// merge has a variable name a file with roots and the gateway's CA; one file for each origin of the roots.
func (t *truster) merge(variable, origin string, roots [][]byte) error {
	path, ok := t.files[origin]
	if !ok {
		var b bytes.Buffer
		for _, der := range roots {
			_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der}) // a buffer takes everything
		}
		b.Write(pem.EncodeToMemory(t.ca))
		var err error
		if path, err = t.write(fmt.Sprintf("roots-%d.pem", len(t.files)+1), b.Bytes()); err != nil {
			return err
		}
		t.files[origin] = path
	}
	t.set[variable] = path
	return nil
}

// certificates are those of a file, in DER. Anything else in it, such as a private key, stays where it is.
func certificates(text []byte) (all [][]byte) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" && !slices.ContainsFunc(all, func(b []byte) bool { return bytes.Equal(b, block.Bytes) }) {
			all = append(all, block.Bytes)
		}
	}
	return all
}

// java adds a trust store to the options of Java's virtual machines, unless they name one.
func (t *truster) java(roots [][]byte) error {
	const store = "-Djavax.net.ssl.trustStore="
	options, _ := t.lookup(javaVariable)
	if strings.Contains(options, store) {
		t.notes = append(t.notes, javaVariable+" names a trust store and stays as it is, so Java programs do not trust the gateway's CA: import $"+CAVariable+" into it")
		return nil
	}
	path, err := t.write("roots.jks", keyStore(append(slices.Clone(roots), t.ca.Bytes)))
	if err != nil {
		return err
	}
	t.set[javaVariable] = strings.TrimSpace(options + " " + store + path + " -Djavax.net.ssl.trustStoreType=JKS -Djavax.net.ssl.trustStorePassword=" + storePassword)
	return nil
}

// storePassword is the one that everybody uses: it keeps nothing secret.
const storePassword = "changeit"

// keyStore is a trust store in Java's own format, which every release reads: a magic number, version 2, an entry for each certificate,
// and a hash over the password, a phrase, and all that.
func keyStore(roots [][]byte) []byte {
	var b []byte
	text := func(s string) { b = append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...) }
	b = binary.BigEndian.AppendUint32(b, 0xfeedfeed)
	b = binary.BigEndian.AppendUint32(b, 2)
	b = binary.BigEndian.AppendUint32(b, uint32(len(roots)))
	for i, der := range roots {
		b = binary.BigEndian.AppendUint32(b, 2) // a certificate that is trusted
		text(fmt.Sprintf("root-%d", i+1))
		b = binary.BigEndian.AppendUint64(b, 0) // made at the beginning of time
		text("X.509")
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(der))), der...)
	}
	h := sha1.New() // by the format; there is nothing to protect
	for _, c := range utf16.Encode([]rune(storePassword)) {
		h.Write([]byte{byte(c >> 8), byte(c)})
	}
	h.Write([]byte("Mighty Aphrodite"))
	h.Write(b)
	return h.Sum(b)
}
