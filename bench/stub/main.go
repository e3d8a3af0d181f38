// A stand-in for a large cluster's API server, for measuring clients: TLS, paging, objects of realistic size and shape, made
// on the fly. It knows reading only, answers from memory and is quicker than any real server; it proves nothing about truth.
//
// It prints one line, the path of a kubeconfig that trusts it, and serves until its standard input is closed.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
)

func main() {
	nodes := flag.Int("nodes", 5000, "how many Nodes")
	pods := flag.Int("pods", 150000, "how many Pods, the flannel pod of each Node among them")
	address := flag.String("listen", "127.0.0.1:0", "where to listen")
	directory := flag.String("dir", "", "where to write the kubeconfig (default: a new directory)")
	flag.Parse()
	if *nodes < 1 || *nodes > 8192 || *pods <= *nodes || *pods / *nodes > 250 {
		log.Fatal("stub: between 1 and 8192 nodes, more pods than nodes, at most 250 pods a node")
	}
	if *directory == "" {
		made, err := os.MkdirTemp("", "flannelscope-stub-")
		must(err)
		*directory = made
	}
	listener, err := net.Listen("tcp", *address)
	must(err)
	certificate, authority := selfSigned()
	kubeconfig, err := writeKubeconfig(*directory, "https://"+listener.Addr().String(), authority)
	must(err)
	server := &http.Server{Handler: newAPI(newWorld(*nodes, *pods)), TLSConfig: certificate, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { must(server.ServeTLS(listener, "", "")) }()
	fmt.Println(kubeconfig)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func must(err error) {
	if err != nil {
		log.Fatal("stub: ", err)
	}
}
