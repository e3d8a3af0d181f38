package main

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"
)

//go:embed node.json
var nodeSource string

//go:embed pod.json
var podSource string

const (
	apps          = 400 // Deployments, in as many namespaces
	stamp         = "2006-01-02T15:04:05Z"
	systemNS      = "kube-system"
	flannelNS     = "kube-flannel"
	clusterCIDR   = "10.128.0.0/11" // 8,192 blocks of /24
	nodeSizeBytes = 9000
	podSizeBytes  = 6000

	flannelVolume     = `,{"name":"flannel-cfg","configMap":{"name":"kube-flannel-cfg"}}`
	controllerManager = `kube-controller-manager","--allocate-node-cidrs=true","--cluster-cidr=` + clusterCIDR + `","--node-cidr-mask-size=24","--service-cluster-ip-range=10.96.0.0/12`
)

var nodeFields = []string{"NAME", "UID", "RV", "ZONE", "HEARD", "IP", "CIDR", "MAC"}
var podFields = []string{"NAME", "UID", "RV", "NAMESPACE", "NODE", "HOSTIP", "LABELS", "KIND", "OWNER", "IMAGE", "COMMAND", "IP", "HOSTNETWORK", "VOLUMES"}

// A world is `nodes` healthy Nodes and `pods` Pods, the same for the same numbers: first the flannel pod of each Node,
// then the controller manager's mirror pod, then workloads, spread evenly over the Nodes.
type world struct {
	nodes, pods int
	node, pod   template
	heard       string
}

func newWorld(nodes, pods int) *world {
	w := &world{nodes: nodes, pods: pods, heard: time.Now().UTC().Format(stamp)}
	w.node = sized(nodeSource, nodeSizeBytes, nodeFields, w.nodeValues(0), func(i int) string {
		return fmt.Sprintf(`{"names":["registry.example.com/team/image-%02d@sha256:%064x","registry.example.com/team/image-%02d:v1.%d.0"],"sizeBytes":%d}`, i, i*7919, i, i, 20000000+i*7919)
	})
	w.pod = sized(podSource, podSizeBytes, podFields, w.podValues(w.nodes+1), func(i int) string {
		return fmt.Sprintf(`"example.com/note-%02d":"kept by the platform, release %d"`, i, i)
	})
	return w
}

func nodeName(i int) string { return "node-" + padded(i, 5) }
func nodeIP(i int) string   { return fmt.Sprintf("172.%d.%d.%d", 16+i>>16, i>>8&255, i&255) }
func uid(kind, i int) string {
	return fmt.Sprintf("%08x-%04x-4000-8000-%012x", i*2654435761&0xffffffff, kind, i)
}

func padded(number, width int) string {
	text := strconv.Itoa(number)
	return strings.Repeat("0", max(0, width-len(text))) + text
}

// block is the first three bytes of Node i's /24 in the cluster CIDR.
func block(i int) string { return "10." + strconv.Itoa(128+i>>8) + "." + strconv.Itoa(i&255) }

// nodeValues are the values of nodeFields, in their order.
func (w *world) nodeValues(i int) []string {
	mac := fmt.Sprintf("7e:2a:%02x:%02x:%02x:%02x", i>>24&255, i>>16&255, i>>8&255, i&255)
	return []string{nodeName(i), uid(1, i), strconv.Itoa(100000 + i), string(rune('a' + i%3)), w.heard, nodeIP(i + 256), block(i) + ".0/24", mac}
}

// identity is what selectors can ask of pod i.
func (w *world) identity(i int) (namespace, name string, node int, labels map[string]string) {
	switch {
	case i < w.nodes:
		return flannelNS, "kube-flannel-ds-" + padded(i, 5), i, map[string]string{"app": "flannel", "tier": "node"}
	case i == w.nodes:
		return systemNS, "kube-controller-manager-" + nodeName(0), 0, map[string]string{"component": "kube-controller-manager", "tier": "control-plane"}
	}
	app := "app-" + padded(i%apps, 3)
	return "team-" + app, app + "-7d9c6f8b54-" + padded(i, 6), i % w.nodes, map[string]string{"app": app}
}

// podValues are the values of podFields, in their order.
func (w *world) podValues(i int) []string {
	namespace, name, node, labels := w.identity(i)
	written := ""
	for _, key := range []string{"app", "tier", "component"} {
		if value, ok := labels[key]; ok {
			written += strconv.Quote(key) + ":" + strconv.Quote(value) + ","
		}
	}
	hostIP := nodeIP(node + 256)
	common := []string{name, uid(2, i), strconv.Itoa(200000 + i), namespace, nodeName(node), hostIP, written}
	onHost := `"hostNetwork":true,`
	switch {
	case i < w.nodes:
		return append(common, "DaemonSet", "kube-flannel-ds", "ghcr.io/flannel-io/flannel:v0.28.10", "/opt/bin/flanneld", hostIP, onHost, flannelVolume)
	case i == w.nodes:
		return append(common, "Node", nodeName(0), "registry.k8s.io/kube-controller-manager:v1.34.4", controllerManager, hostIP, onHost, "")
	}
	return append(common, "ReplicaSet", labels["app"], "registry.example.com/team/"+labels["app"]+":v1.0.0", "/app/serve", block(node)+"."+strconv.Itoa(2+i/w.nodes), "", "")
}
