// requests.go - the program behind requests.trace: a server's day in a few milliseconds, in which one request is slow
// because another one holds a lock while it fills a cache. usage: go run requests.go requests.trace
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"time"
)

var (
	mu    sync.Mutex
	cache = map[int][]byte{}
	work  byte
)

//go:noinline
func compute(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		for i := 0; i < 2000; i++ {
			work += byte(i) ^ work
		}
	}
}

//go:noinline
func fillCache(id int) {
	compute(40 * time.Millisecond)
	cache[id] = make([]byte, 3<<20)
}

//go:noinline
func lookUp(id int) {
	mu.Lock()
	defer mu.Unlock()
	if id == 17 {
		fillCache(id)
	}
	compute(40 * time.Microsecond)
}

func handle(id int) {
	ctx, task := trace.NewTask(context.Background(), "request")
	defer task.End()
	trace.Logf(ctx, "request", "GET /item/%d", id)
	trace.WithRegion(ctx, "parse", func() { compute(60 * time.Microsecond) })
	trace.WithRegion(ctx, "look up", func() { lookUp(id) })
	trace.WithRegion(ctx, "render", func() { compute(150 * time.Microsecond) })
}

func main() {
	f, err := os.Create(os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	runtime.SetCPUProfileRate(1000)
	pprof.StartCPUProfile(io.Discard)
	trace.Start(f)
	var wg sync.WaitGroup
	for id := 0; id < 60; id++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			handle(id)
		}()
		time.Sleep(time.Duration(500+id*37%400) * time.Microsecond)
	}
	wg.Wait()
	trace.Stop()
	pprof.StopCPUProfile()
	f.Close()
}
