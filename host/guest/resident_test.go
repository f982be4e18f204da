package guest

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkResident is what a guest of the shipped plugin, and of a small stock-Go one, keeps resident while it waits after one delivery: the
// pages of its memory that it has touched, and everything that the runtime has for an instance.
func BenchmarkResident(b *testing.B) {
	for name, tm := range map[string]*Template{"small": goTemplate(b), "postgres": postgresTemplate(b, Options{Idle: -1})} {
		b.Run(name, func(b *testing.B) {
			const n = 200
			before := privateKiB(b)
			var gs []*Guest
			for range n {
				g, err := tm.New(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				_, _, _ = g.Data(0, []byte{0, 0, 0, 20, 0, 3, 0, 0, 'u'}, 0)
				gs = append(gs, g)
			}
			b.ReportMetric((privateKiB(b)-before)/n, "KiB/guest")
			pages := 0
			for _, g := range gs {
				k, _ := tm.snap.reset(g.inst, guestCopyBack)
				pages += k
				g.Close()
			}
			b.ReportMetric(float64(pages)/n, "pages/guest")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// privateKiB is what this process alone holds.
func privateKiB(b *testing.B) float64 {
	runtime.GC()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		b.Skip(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); f[0] == "Private_Dirty:" {
			n, _ := strconv.ParseFloat(f[1], 64)
			return n
		}
	}
	return 0
}
