// Command judge-http is a judge that asks an HTTP service of yours: it posts the action as JSON, and passes on what the service decides.
//
// It needs no PDK: the few functions of Extism that it uses are declared in extism.go. Build it with
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o judge-http.wasm .
package main

import "encoding/json"

func main() {}

// answer is what a judge answers, and the service as well.
type answer struct {
	Decision string `json:"decision"`
	Reason   string `json:"reason"`
}

// judge is called for each action. A result other than 0 is no answer: what becomes of the action then, the gateway's configuration says.
//
//go:wasmexport judge
func judge() int32 {
	url := config("url")
	if url == "" {
		return fail("settings need url, the address of the service")
	}
	status, body := post(url, input())
	if status != 200 {
		return fail("the service did not answer with status 200")
	}
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return fail("the service did not answer with JSON")
	}
	out, err := json.Marshal(a)
	if err != nil {
		return fail(err.Error())
	}
	output(out)
	return 0
}
