package shell_test

import (
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/ssh/shell"
)

func BenchmarkRead(b *testing.B) {
	for name, line := range map[string]string{
		"ls": "ls -la", "pipe": "cat /var/log/syslog | grep -i error | tail -20", "deep brackets": strings.Repeat("(", 190) + "ls" + strings.Repeat(")", 190), "many words": strings.Repeat("a ", 8000),
		"deep arithmetic": "echo $((" + strings.Repeat("(", 150) + "1" + strings.Repeat(")", 150) + "))", "long": strings.Repeat("x", 16<<10), "many commands": strings.Repeat("a;", 8000),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				shell.Read(line, false)
			}
		})
	}
}
