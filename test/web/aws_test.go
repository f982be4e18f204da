package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// awsKey is the key with which the gateway signs; agents have another one.
const awsKey, awsKeyID = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AKIAREALKEYOFTHEGATEWAY"

// object is a bucket: it holds requests against their signatures by signing them again with the official signer.
func object(w http.ResponseWriter, r *http.Request) {
	// A server that answers before it has read the body resets the stream (RFC 9113, section 8.1), for which curl gives up now and then.
	_, _ = io.Copy(io.Discard, r.Body)
	given := r.Header.Get("Authorization")
	_, list, _ := strings.Cut(given, "SignedHeaders=")
	list, _, _ = strings.Cut(list, ",")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		http.Error(w, "x-amz-date: "+err.Error(), http.StatusForbidden)
		return
	}
	again, err := http.NewRequestWithContext(context.Background(), r.Method, "https://"+r.Host+r.RequestURI, nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	for name := range strings.SplitSeq(list, ";") {
		if name != "host" {
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	err = signer.SignHTTP(context.Background(), aws.Credentials{AccessKeyID: awsKeyID, SecretAccessKey: awsKey}, again, r.Header.Get("X-Amz-Content-Sha256"), "s3", "eu-central-1", at)
	if want := again.Header.Get("Authorization"); err != nil || given != want {
		http.Error(w, fmt.Sprintf("SignatureDoesNotMatch: %q, want %q, %v", given, want, err), http.StatusForbidden)
		return
	}
	fmt.Fprintf(w, "%s %s\n", r.Method, r.RequestURI)
}
