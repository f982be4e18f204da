package sql

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// oldServer starts Debian's clickhouse-server (18.16) and returns the address of its HTTP interface.
func oldServer(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("clickhouse-server")
	if err != nil {
		program = "/usr/sbin/clickhouse-server"
	}
	for range 10 {
		if url := startServer(t, program); url != "" {
			return url
		}
	}
	t.Fatal("clickhouse-server did not start; it is Debian's package clickhouse-server")
	return ""
}

// startServer tries it on ports that were free a moment ago.
func startServer(t *testing.T, program string) string {
	t.Helper()
	dir := t.TempDir()
	ports := make([]int, 2)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports[i] = l.Addr().(*net.TCPAddr).Port
		l.Close()
	}
	config := fmt.Sprintf(`<yandex><logger><level>error</level><log>%[1]s/log</log><errorlog>%[1]s/err</errorlog></logger>
<http_port>%[2]d</http_port><tcp_port>%[3]d</tcp_port><listen_host>127.0.0.1</listen_host><path>%[1]s/</path><tmp_path>%[1]s/tmp/</tmp_path>
<user_files_path>%[1]s/files/</user_files_path><format_schema_path>%[1]s/schemas/</format_schema_path><mark_cache_size>5368709</mark_cache_size>
<users_config>config.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
<profiles><default></default></profiles><quotas><default/></quotas>
<users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users></yandex>`, dir, ports[0], ports[1])
	file := filepath.Join(dir, "config.xml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--config-file="+file)
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v; it is Debian's package clickhouse-server", err)
	}
	gone := make(chan struct{})
	go func() { cmd.Wait(); close(gone) }()
	t.Cleanup(func() { cmd.Process.Kill(); <-gone })
	url := fmt.Sprintf("http://127.0.0.1:%d/", ports[0])
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); {
		select {
		case <-gone:
			return ""
		case <-time.After(50 * time.Millisecond):
		}
		if answer, err := post(url, "SELECT version()"); err == nil && strings.HasPrefix(answer, "18.16") {
			return url
		}
	}
	t.Fatal("clickhouse-server does not answer")
	return ""
}

func post(url, text string) (string, error) {
	res, err := http.Post(url, "text/plain", strings.NewReader(text))
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return string(b), err
}

// TestServerRefusesNothingThatReads lets a real server, an old one, run what is classed as harmless, where it may only read: nothing
// may be refused for that. The statements are a part of the corpus, plain and changed at random.
func TestServerRefusesNothingThatReads(t *testing.T) {
	url := oldServer(t)
	var all []string
	for _, s := range corpus(t) {
		all = append(all, s...)
	}
	slices.Sort(all)
	random := rand.New(rand.NewPCG(18, 16))
	var r Reader
	ran, worked := 0, 0
	for n := 0; n < 1500; n++ {
		s := all[random.IntN(len(all))]
		if n%3 > 0 {
			s = mutate(random, s, all)
		}
		f := r.Read([]byte(s), 18016)
		if f.Class > abi.ClassRead || f.Kind == KindSet || f.Kind == KindUse || strings.Contains(strings.ToLower(s), "sleep") || len(s) > 2000 {
			continue
		}
		answer, err := post(url+"?readonly=2&max_execution_time=1&max_rows_to_read=100000&max_result_rows=1000&max_memory_usage=300000000", s)
		if err != nil {
			t.Fatalf("%v after %q", err, s)
		}
		ran++
		if !strings.HasPrefix(answer, "Code:") {
			worked++
		}
		if strings.HasPrefix(answer, "Code: 164") && !strings.Contains(answer, "setting") {
			t.Errorf("class %s, and the server: %.200s\n\tof %q", f.Class, answer, s)
		}
	}
	t.Logf("%d statements that are classed as harmless, %d of them ran", ran, worked)
	if worked < 20 {
		t.Error("the server ran next to nothing")
	}
}

// TestServerKnowsTheseAsChanges is the other side: what the server refuses to a reader is never classed as reading.
func TestServerKnowsTheseAsChanges(t *testing.T) {
	url := oldServer(t)
	for _, s := range []string{"CREATE TABLE x (a Int8) ENGINE = Memory", "CREATE DATABASE d", "INSERT INTO t VALUES (1)"} {
		post(url, s)
	}
	if _, err := post(url, "CREATE TABLE t (a Int8, b String, d Date DEFAULT today()) ENGINE = MergeTree(d, a, 8192)"); err != nil {
		t.Fatal(err)
	}
	var r Reader
	refused := 0
	for file, statements := range corpus(t) {
		for i, s := range statements {
			if len(s) > 500 || plain[head(s)] && head(s) != "insert" && head(s) != "explain" || file == "driver.sql" && i%4 > 0 {
				continue
			}
			answer, err := post(url+"?readonly=1&max_execution_time=1", s)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(answer, "Code: 164") {
				continue
			}
			refused++
			if f := r.Read([]byte(s), 18016); f.Class <= abi.ClassRead && f.Kind != KindSet {
				t.Errorf("class %s, and the server refuses it to a reader: %q", f.Class, s)
			}
		}
	}
	t.Logf("%d statements refused to a reader", refused)
	if refused < 50 {
		t.Error("the server refused next to nothing")
	}
}
