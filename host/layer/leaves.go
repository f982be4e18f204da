package layer

import (
	"container/list"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// leafLife is how long a leaf is valid, and leafRenewal how long before its end another takes its place for new connections.
	leafLife    = 48 * time.Hour
	leafRenewal = 24 * time.Hour
	// mostLeaves bounds how many are kept; the one that was not used for longest goes first.
	mostLeaves = 1024
	// mostNames bounds the names of one leaf.
	mostNames = 16
)

// leaves is a cache of leaves by their names. Its zero value is empty.
type leaves struct {
	mu     sync.Mutex
	byName map[string]*list.Element // of *leaf
	recent list.List                // most recently used first
}

// leaf is a certificate that is there or being made. Its names are its key in the cache.
type leaf struct {
	names       string
	made        chan struct{} // closed when the rest is there
	certificate *tls.Certificate
	renew       time.Time
	err         error
}

// Leaf returns a certificate with its key for names, host names and IP addresses, the first of which is its subject. It is made
// at first use, once for all who want it at that time, and again before it expires.
func (ca *CA) Leaf(names ...string) (*tls.Certificate, error) {
	if len(names) == 0 || len(names) > mostNames {
		return nil, fmt.Errorf("a certificate is for 1 to %d names, not %d", mostNames, len(names))
	}
	l, mine := ca.leaves.get(strings.Join(names, "\x00"), ca.now())
	if !mine {
		<-l.made
		return l.certificate, l.err
	}
	l.certificate, l.renew, l.err = ca.mint(names)
	if l.err != nil {
		ca.leaves.remove(l)
	}
	close(l.made)
	return l.certificate, l.err
}

// get returns the leaf for names; when it is new, the caller makes it.
func (s *leaves) get(names string, now time.Time) (l *leaf, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byName == nil {
		s.byName = map[string]*list.Element{}
	}
	if e := s.byName[names]; e != nil {
		l := e.Value.(*leaf)
		if l.fresh(now) {
			s.recent.MoveToFront(e)
			return l, false
		}
		s.drop(e)
	}
	l = &leaf{names: names, made: make(chan struct{})}
	s.byName[names] = s.recent.PushFront(l)
	if s.recent.Len() > mostLeaves {
		s.drop(s.recent.Back())
	}
	return l, true
}

// fresh says that the leaf is being made or need not be made again.
func (l *leaf) fresh(now time.Time) bool {
	select {
	case <-l.made:
		return now.Before(l.renew)
	default:
		return true
	}
}

func (s *leaves) remove(l *leaf) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.byName[l.names]; e != nil && e.Value == any(l) {
		s.drop(e)
	}
}

func (s *leaves) drop(e *list.Element) {
	s.recent.Remove(e)
	delete(s.byName, e.Value.(*leaf).names)
}

// mint makes a leaf.
func (ca *CA) mint(names []string) (c *tls.Certificate, renew time.Time, err error) {
	now := ca.now()
	end := now.Add(leafLife)
	if last := ca.certificate.NotAfter; end.After(last) {
		end = last
	}
	if !end.After(now) {
		return nil, renew, errors.New("the gateway's CA has expired")
	}
	serial, err := newSerial()
	if err != nil {
		return nil, renew, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, NotBefore: now.Add(-skew), NotAfter: end, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if len(names[0]) <= 64 { // the limit of a common name; programs look at the list below
		template.Subject = pkix.Name{CommonName: names[0]}
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		if ip, err := netip.ParseAddr(name); err == nil {
			template.IPAddresses = append(template.IPAddresses, ip.Unmap().AsSlice())
		} else {
			template.DNSNames = append(template.DNSNames, strings.TrimSuffix(name, "."))
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, renew, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, key.Public(), ca.key)
	if err != nil {
		return nil, renew, fmt.Errorf("make a certificate for %s: %w", strings.Join(names, ", "), err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, renew, err
	}
	if err := ca.check(parsed); err != nil {
		return nil, renew, err
	}
	return &tls.Certificate{Certificate: append([][]byte{der}, ca.issuers...), PrivateKey: key, Leaf: parsed}, end.Add(-leafRenewal), nil
}
