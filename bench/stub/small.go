package main

import (
	"fmt"
	"strings"
	"time"
)

const groups = `{"kind":"APIGroupList","apiVersion":"v1","groups":[` +
	`{"name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}],"preferredVersion":{"groupVersion":"apps/v1","version":"v1"}},` +
	`{"name":"coordination.k8s.io","versions":[{"groupVersion":"coordination.k8s.io/v1","version":"v1"}],"preferredVersion":{"groupVersion":"coordination.k8s.io/v1","version":"v1"}},` +
	`{"name":"networking.k8s.io","versions":[{"groupVersion":"networking.k8s.io/v1","version":"v1"}],"preferredVersion":{"groupVersion":"networking.k8s.io/v1","version":"v1"}}]}`

const coreResources = `{"kind":"APIResourceList","groupVersion":"v1","resources":[` +
	`{"name":"nodes","singularName":"node","namespaced":false,"kind":"Node","verbs":["get","list","watch"],"shortNames":["no"]},` +
	`{"name":"pods","singularName":"pod","namespaced":true,"kind":"Pod","verbs":["get","list","watch"],"shortNames":["po"]}]}`

const flannelConfig = `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"kube-flannel-cfg","namespace":"kube-flannel","uid":"f1","resourceVersion":"7","creationTimestamp":"2026-03-02T08:10:00Z"},` +
	`"data":{"cni-conf.json":"{\"name\":\"cbr0\",\"cniVersion\":\"0.3.1\",\"plugins\":[{\"type\":\"flannel\",\"delegate\":{\"hairpinMode\":true,\"isDefaultGateway\":true}},{\"type\":\"portmap\",\"capabilities\":{\"portMappings\":true}}]}",` +
	`"net-conf.json":"{\"Network\":\"` + clusterCIDR + `\",\"EnableNFTables\":false,\"Backend\":{\"Type\":\"vxlan\"}}"}}`

func resources(version, name, kind string) string {
	return fmt.Sprintf(`{"kind":"APIResourceList","groupVersion":%q,"resources":[{"name":%q,"namespaced":true,"kind":%q,"verbs":["get","list","watch"]}]}`, version, name, kind)
}

// object writes an object with `rest` (members, or nothing) after its metadata; `kind` may be empty, as within a list.
func object(kind, version, namespace, name, rest string) string {
	var members []string
	if kind != "" {
		members = append(members, fmt.Sprintf(`"kind":%q,"apiVersion":%q`, kind, version))
	}
	space := ""
	if namespace != "" {
		space = fmt.Sprintf(`"namespace":%q,`, namespace)
	}
	members = append(members, fmt.Sprintf(`"metadata":{%s"name":%q,"uid":"uid-of-%s","resourceVersion":"7","creationTimestamp":"2026-03-02T08:00:00Z"}`, space, name, name))
	if rest != "" {
		members = append(members, rest)
	}
	return "{" + strings.Join(members, ",") + "}"
}

func list(kind, version string, items ...string) string {
	return fmt.Sprintf(`{"kind":%q,"apiVersion":%q,"metadata":{"resourceVersion":%q},"items":[%s]}`, kind, version, listVersion, strings.Join(items, ","))
}

func lease(namespace, name, holder string) string {
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
	return object("Lease", "coordination.k8s.io/v1", namespace, name, fmt.Sprintf(`"spec":{"holderIdentity":%q,"leaseDurationSeconds":40,"renewTime":%q}`, holder, now))
}

func (w *world) leases() []string {
	all := make([]string, w.nodes)
	for i := range all {
		all[i] = lease("kube-node-lease", nodeName(i), nodeName(i))
	}
	return all
}

func (w *world) daemonSet() string {
	return object("", "", flannelNS, "kube-flannel-ds", fmt.Sprintf(`"spec":{"selector":{"matchLabels":{"app":"flannel"}},"updateStrategy":{"type":"RollingUpdate"},"template":{"metadata":{"labels":{"app":"flannel","tier":"node"}},`+
		`"spec":{"hostNetwork":true,"serviceAccountName":"flannel","tolerations":[{"operator":"Exists","effect":"NoSchedule"}],`+
		`"containers":[{"name":"main","image":"ghcr.io/flannel-io/flannel:v0.28.10","command":["/opt/bin/flanneld"],"args":["--ip-masq","--kube-subnet-mgr"],"resources":{"limits":{"memory":"256Mi"}}}],`+
		`"volumes":[{"name":"flannel-cfg","configMap":{"name":"kube-flannel-cfg"}}]}}},`+
		`"status":{"currentNumberScheduled":%[1]d,"desiredNumberScheduled":%[1]d,"numberReady":%[1]d,"numberAvailable":%[1]d,"updatedNumberScheduled":%[1]d,"observedGeneration":1}`, w.nodes))
}
