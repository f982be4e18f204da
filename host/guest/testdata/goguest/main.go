//go:build wasip1

// Command goguest is a stock-Go plugin for tests: it uses maps, goroutines, the garbage collector and the clock.
package main

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

var (
	in, out [64 << 10]byte
	table   = [4]uint32{addr(&in), uint32(len(in)), addr(&out), uint32(len(out))}
	prefix  string
	seen    = map[string]int{}
	keep    [][]byte
)

func addr(p *[64 << 10]byte) uint32 { return uint32(uintptr(unsafe.Pointer(p))) }

//go:wasmexport sallyport_abi
func abi() int32 { return 0 }

//go:wasmexport sallyport_buffers
func buffers() int32 { return int32(uintptr(unsafe.Pointer(&table))) }

//go:wasmexport sallyport_describe
func describe() int32 {
	return answer(`{"name":"goguest","go":"` + runtime.Version() + `"}`)
}

//go:wasmexport sallyport_configure
func configure(n int32) int32 {
	o := string(in[:n])
	if o == "bad" {
		return -answer("bad options")
	}
	prefix = o
	return 0
}

//go:wasmexport sallyport_open
func open(n int32) int32 { return 0 }

//go:wasmexport sallyport_event
func event(n int32) int32 { return 0 }

func answer(s string) int32 { return int32(copy(out[:], s)) }

// data runs the command in the buffer.
//
//go:wasmexport sallyport_data
func data(side, n, flags int32) int32 {
	if side == 1 { // scan: the cheapest honest work on bytes
		lines := int32(0)
		for _, c := range in[:n] {
			if c == '\n' {
				lines++
			}
		}
		return 0 & lines
	}
	cmd, arg, _ := strings.Cut(string(in[:n]), " ")
	switch cmd {
	case "seen": // remembers and tells everything it has seen
		seen[arg]++
		var all []string
		for k, v := range seen {
			all = append(all, k+"="+strconv.Itoa(v))
		}
		slices.Sort(all)
		return answer(prefix + strings.Join(all, ","))
	case "gc":
		for i := range 200 {
			keep = append(keep, make([]byte, 100+i))
		}
		keep = keep[len(keep)/2:]
		runtime.GC()
		return answer("done")
	case "goroutines":
		c := make(chan int)
		go func() {
			defer close(c)
			for i := range 10 {
				c <- i
			}
		}()
		sum := 0
		for i := range c {
			sum += i
		}
		return answer(strconv.Itoa(sum))
	case "world":
		return answer(strconv.Itoa(time.Now().UTC().Year()) + " " + strconv.FormatUint(rand.Uint64(), 10))
	case "hog":
		for {
			keep = append(keep, make([]byte, 1<<20))
		}
	case "spin":
		for {
		}
	case "deep":
		return answer(strconv.Itoa(deep(1000)))
	case "panic":
		panic("on purpose")
	case "sleep":
		time.Sleep(time.Hour)
	}
	return 0
}

func deep(n int) int {
	if n == 0 {
		return 0
	}
	return 1 + deep(n-1)
}

func main() {}
