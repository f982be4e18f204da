package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// awsKey is the real key, which no agent and no guest sees; agents sign with dummyKey.
const (
	awsKey   = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	awsKeyID = "AKIAREALKEYOFTHEGATEWAY"
	awsToken = "FwoGZXIvYXdzEXAMPLETOKEN//////////wEaDP"
)

// awsServer holds every request against its signature as AWS does (Signature Version 4, "create a signed request"), by code of its own.
type awsServer struct {
	service, token string

	mu   sync.Mutex
	seen []*http.Request
}

func (s *awsServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.mu.Lock()
	s.seen = append(s.seen, r)
	s.mu.Unlock()
	if err == nil {
		err = s.verify(r, body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	fmt.Fprintf(w, "%s %d", r.Method, len(body))
}

// all are the requests that came, asked how many.
func (s *awsServer) all() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

func (s *awsServer) asked() int { return len(s.all()) }

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

func keyed(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func (s *awsServer) verify(r *http.Request, body []byte) error {
	const algorithm = "AWS4-HMAC-SHA256"
	given := r.Header.Values("Authorization")
	if len(given) != 1 || strings.Contains(r.URL.RawQuery, "X-Amz-Signature") {
		return fmt.Errorf("%d Authorization, query %q", len(given), r.URL.RawQuery)
	}
	var scope, signed, signature string
	if _, err := fmt.Sscanf(strings.ReplaceAll(given[0], ",", ""), algorithm+" Credential=%s SignedHeaders=%s Signature=%s", &scope, &signed, &signature); err != nil {
		return fmt.Errorf("%q: %w", given[0], err)
	}
	date := r.Header.Get("X-Amz-Date")
	parts := strings.Split(scope, "/")
	if len(parts) != 5 || parts[0] != awsKeyID || len(date) != 16 || parts[1] != date[:8] || parts[2] != "eu-central-1" || parts[3] != s.service {
		return fmt.Errorf("scope %q at %q", scope, date)
	}
	if got := r.Header.Get("X-Amz-Security-Token"); got != s.token || len(r.Header.Values("X-Amz-Security-Token")) > 1 {
		return fmt.Errorf("token %q", got)
	}
	hash := sum(body)
	if h := r.Header.Get("X-Amz-Content-Sha256"); s.service == "s3" && h != "UNSIGNED-PAYLOAD" && h != "STREAMING-UNSIGNED-PAYLOAD-TRAILER" && h != hash {
		return errors.New("XAmzContentSHA256Mismatch")
	} else if s.service == "s3" {
		hash = h
	}
	names := strings.Split(signed, ";")
	for name := range r.Header {
		if n := strings.ToLower(name); strings.HasPrefix(n, "x-amz-") && !slices.Contains(names, n) {
			return fmt.Errorf("%s is not signed", n)
		}
	}
	var headers strings.Builder
	for _, n := range names {
		values := r.Header.Values(n)
		if n == "host" {
			values = []string{r.Host}
		}
		if len(values) == 0 {
			return fmt.Errorf("%s is signed and not there", n)
		}
		fmt.Fprintf(&headers, "%s:%s\n", n, strings.Join(strings.Fields(strings.Join(values, ",")), " "))
	}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if s.service != "s3" { // encoded a second time
		path = strings.ReplaceAll(url.PathEscape(path), "%2F", "/")
	}
	canonical := strings.Join([]string{r.Method, path, canonicalQuery(r.URL.RawQuery), headers.String(), signed, hash}, "\n")
	text := strings.Join([]string{algorithm, date, strings.Join(parts[1:], "/"), sum([]byte(canonical))}, "\n")
	key := []byte("AWS4" + awsKey)
	for _, part := range parts[1:] {
		key = keyed(key, part)
	}
	if want := hex.EncodeToString(keyed(key, text)); want != signature {
		return fmt.Errorf("SignatureDoesNotMatch: %q", canonical)
	}
	return nil
}

func canonicalQuery(raw string) string {
	var list []string
	for p := range strings.SplitSeq(raw, "&") {
		if p == "" {
			continue
		}
		name, value, _ := strings.Cut(p, "=")
		list = append(list, encoded(name)+"="+encoded(value))
	}
	slices.Sort(list)
	return strings.Join(list, "&")
}

func encoded(s string) string {
	plain, err := url.QueryUnescape(s)
	if err != nil {
		return "?"
	}
	return strings.ReplaceAll(url.QueryEscape(plain), "+", "%20")
}
