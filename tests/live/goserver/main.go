// A Go program with net/http/pprof for pprof to fetch from: computes, allocates and keeps some of it.
package main

import (
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
)

var kept [][]byte

//go:noinline
func hashForever(seed byte) {
	block := make([]byte, 4096)
	for {
		sum := sha256.Sum256(block)
		block[0] = sum[0] + seed
	}
}

//go:noinline
func keepMemory() {
	for i := 0; i < 64; i++ {
		kept = append(kept, make([]byte, 1<<20))
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	keepMemory()
	go hashForever(1)
	fmt.Println(listener.Addr())
	go http.Serve(listener, nil)
	time.Sleep(40 * time.Second) // a bound: the test takes about ten
	fmt.Println(len(kept))
}
