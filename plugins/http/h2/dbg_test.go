package h2_test
import ("testing";"os/exec";"net/http";"strings";"github.com/sallyport-dev/sallyport/host/gate";"github.com/sallyport-dev/sallyport/sdk/abi")
func TestDbg(t *testing.T){
	g := &gateway{t: t, upstream: serve(http.NotFound, nil), decide: func(title string, _ *abi.Action) gate.Verdict {
		if strings.Contains(title, "secret") { return gate.Verdict{Outcome: abi.Deny, Reason: "not that"} }
		return gate.Verdict{} }}
	at := g.listen()
	out, err := exec.Command("curl", "-sSv", "--http2-prior-knowledge", "http://"+at+"/secret", "http://"+at+"/secret").CombinedOutput()
	t.Log(string(out), err)
	out, err = exec.Command("nghttp", "-v", "http://"+at+"/secret", "http://"+at+"/b").CombinedOutput()
	t.Log(string(out), err)
	g.mu.Lock(); t.Logf("%+v", g.ends)
}
