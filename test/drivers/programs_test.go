package drivers

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/sallyport-dev/sallyport/test/npm"
)

// python is a script of Debian's Python, which has Debian's modules.
func python(script, module string) command {
	return func(ctx context.Context, t *testing.T, _ place, scenarios string) ([]string, []string) {
		const interpreter = "/usr/bin/python3"
		if out, err := exec.CommandContext(ctx, interpreter, "-c", "import "+module).CombinedOutput(); err != nil {
			lacking(t, "Python's module "+module, &output{err, out})
		}
		return []string{interpreter, filepath.Join(source(t), "python", script), scenarios}, []string{"PYTHONDONTWRITEBYTECODE=1"}
	}
}

// libpq18 is psycopg with the libpq of PostgreSQL 18, which asks for protocol 3.2; a server 15 talks it down to 3.0.
func libpq18(ctx context.Context, t *testing.T, at place, scenarios string) (program, env []string) {
	program, env = python("run_psycopg3.py", "psycopg")(ctx, t, at, scenarios)
	protocol := map[string]string{debian: "30000", newest: "30002"}[at.version]
	return program, append(env, "PSYCOPG_IMPL=python", "LD_LIBRARY_PATH="+shared.lib18, "PGMAXPROTOCOLVERSION=3.2", "WANT_PROTOCOL="+protocol)
}

// output is an error with what a program said.
type output struct {
	error
	said []byte
}

func (o *output) Error() string { return o.error.Error() + ": " + string(o.said) }

// node is a script of Node, whose modules are installed once. With tls it insists on TLS at gateways, which offer it; the other drivers
// take it where they find it, but for the scripts without.
func node(script string, tls bool) command {
	return func(ctx context.Context, t *testing.T, at place, scenarios string) ([]string, []string) {
		interpreter, err := exec.LookPath("node")
		if err != nil {
			lacking(t, "Node", err)
		}
		packages, err := os.ReadFile(filepath.Join(source(t), "node", "package.json"))
		if err != nil {
			t.Fatal(err)
		}
		dir, err := npm.Install(ctx, packages)
		if err != nil {
			lacking(t, "a package of npm", err)
		}
		env := []string{"NODE_PATH=" + filepath.Join(dir, "node_modules"), "PGSSLMODE=disable"}
		if tls && at.endpoint != "" {
			env = append(env, "TLS=yes")
		}
		return []string{interpreter, filepath.Join(source(t), "node", script), scenarios}, env
	}
}

// jdbc is a program in one source file, which java compiles by itself.
func jdbc(_ context.Context, t *testing.T, _ place, scenarios string) (program, env []string) {
	const jar = "/usr/share/java/postgresql.jar"
	if _, err := os.Stat(jar); err != nil {
		lacking(t, "Debian's libpostgresql-jdbc-java", err)
	}
	java, err := exec.LookPath("java")
	if err != nil {
		lacking(t, "a JDK", err)
	}
	return []string{java, "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", jar, filepath.Join(source(t), "java", "Jdbc.java"), scenarios}, nil
}

// role is this test binary as another program, see play.
func role(name, mode string) command {
	return func(_ context.Context, t *testing.T, _ place, scenarios string) ([]string, []string) {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		return []string{self, scenarios}, []string{roleEnv + "=" + name, modeEnv + "=" + mode, "GORACE=atexit_sleep_ms=0"}
	}
}
