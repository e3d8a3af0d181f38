// Runs operations on Kubernetes' own set of podCIDR blocks, for comparison with flannelscope's model of it.
//
// In: a JSON list of pools, {"cluster": CIDR, "mask": length, "operations": [[verb, CIDR], …]}, the verb being occupy,
// release or allocate. Out: for each pool a list with the answer of each operation: the block allocated, "" where there
// is nothing to tell, or the error behind a "!"; one "!" alone when the pool itself is refused.
package main

import (
	"encoding/json"
	"log"
	"net"
	"os"

	"k8s.io/kubernetes/pkg/controller/nodeipam/ipam/cidrset"
)

type pool struct {
	Cluster    string      `json:"cluster"`
	Mask       int         `json:"mask"`
	Operations [][2]string `json:"operations"`
}

func main() {
	var pools []pool
	if err := json.NewDecoder(os.Stdin).Decode(&pools); err != nil {
		log.Fatal(err)
	}
	answers := make([][]string, len(pools))
	for i, p := range pools {
		answers[i] = p.run()
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatal(err)
	}
}

func (p pool) run() []string {
	set, err := cidrset.NewCIDRSet(parse(p.Cluster), p.Mask)
	if err != nil {
		return []string{"!" + err.Error()}
	}
	answers := make([]string, len(p.Operations))
	for i, operation := range p.Operations {
		answers[i] = apply(set, operation[0], operation[1])
	}
	return answers
}

func apply(set *cidrset.CidrSet, verb, cidr string) string {
	var err error
	var block *net.IPNet
	switch verb {
	case "occupy":
		err = set.Occupy(parse(cidr))
	case "release":
		err = set.Release(parse(cidr))
	case "allocate":
		block, err = set.AllocateNext()
	}
	if err != nil {
		return "!" + err.Error()
	}
	if block != nil {
		return block.String()
	}
	return ""
}

func parse(cidr string) *net.IPNet {
	_, network, err := net.ParseCIDR(cidr)
	if err != nil {
		log.Fatal(err)
	}
	return network
}
