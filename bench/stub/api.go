package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	listVersion = "9000000"
	roomEach    = nodeSizeBytes + 500 // bytes to set aside for an object
)

// api answers the paths that a reader of Nodes and pods asks for.
type api struct {
	world *world
	// each small answer by its path: a body, made anew at every request where times must be fresh
	small map[string]func() string
}

func newAPI(w *world) *api {
	a := &api{world: w}
	a.small = map[string]func() string{
		"/version": func() string {
			return `{"major":"1","minor":"34","gitVersion":"v1.34.4","platform":"linux/amd64"}`
		},
		"/readyz":                        func() string { return `"ok"` },
		"/api":                           func() string { return `{"kind":"APIVersions","versions":["v1"]}` },
		"/apis":                          func() string { return groups },
		"/apis/apps/v1":                  func() string { return resources("apps/v1", "daemonsets", "DaemonSet") },
		"/apis/coordination.k8s.io/v1":   func() string { return resources("coordination.k8s.io/v1", "leases", "Lease") },
		"/apis/networking.k8s.io/v1":     func() string { return resources("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy") },
		"/api/v1":                        func() string { return coreResources },
		"/api/v1/namespaces/kube-system": func() string { return object("Namespace", "v1", "", systemNS, "") },
		"/apis/apps/v1/daemonsets":       func() string { return list("DaemonSetList", "apps/v1", w.daemonSet()) },
		"/api/v1/namespaces/kube-flannel/configmaps/kube-flannel-cfg": func() string { return flannelConfig },
		"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases": func() string {
			return list("LeaseList", "coordination.k8s.io/v1", w.leases()...)
		},
		"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager": func() string {
			return lease(systemNS, "kube-controller-manager", "node-00000_1")
		},
		"/apis/networking.k8s.io/v1/servicecidrs": func() string {
			return list("ServiceCIDRList", "networking.k8s.io/v1", object("", "", "", "kubernetes", `"spec":{"cidrs":["10.96.0.0/12"]}`))
		},
		"/apis/networking.k8s.io/v1/networkpolicies": func() string { return list("NetworkPolicyList", "networking.k8s.io/v1") },
		"/api/v1/events":                func() string { return list("EventList", "v1") },
		"/apis/events.k8s.io/v1/events": func() string { return list("EventList", "events.k8s.io/v1") },
		"/api/v1/namespaces/default/services/kubernetes": func() string {
			return object("Service", "v1", "default", "kubernetes", `"spec":{"clusterIP":"10.96.0.1","clusterIPs":["10.96.0.1"]}`)
		},
	}
	return a
}

func (a *api) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	query := in.URL.Query()
	if in.Method == http.MethodPost && strings.HasPrefix(in.URL.Path, "/apis/authorization.k8s.io/v1/selfsubject") {
		answer(out, in, http.StatusCreated, []byte(allowed(in)))
		return
	}
	if in.Method != http.MethodGet {
		status(out, in, http.StatusMethodNotAllowed, "MethodNotAllowed")
		return
	}
	if watching := query.Get("watch"); watching == "true" || watching == "1" {
		hold(out, in)
		return
	}
	path := strings.TrimSuffix(in.URL.Path, "/")
	switch {
	case path == "/api/v1/nodes":
		a.page(out, in, "NodeList", a.world.nodes, a.world.node, a.world.nodeValues, func(i int) bool { return nodeWanted(query.Get("fieldSelector"), i) })
	case path == "/api/v1/pods":
		a.page(out, in, "PodList", a.world.pods, a.world.pod, a.world.podValues, a.podFilter("", query.Get("labelSelector"), query.Get("fieldSelector")))
	case strings.HasPrefix(path, "/api/v1/namespaces/") && strings.HasSuffix(path, "/pods"):
		namespace := strings.Split(path, "/")[4]
		a.page(out, in, "PodList", a.world.pods, a.world.pod, a.world.podValues, a.podFilter(namespace, query.Get("labelSelector"), query.Get("fieldSelector")))
	case a.small[path] != nil:
		answer(out, in, http.StatusOK, []byte(a.small[path]()))
	default:
		status(out, in, http.StatusNotFound, "NotFound")
	}
}

// page answers one page of the objects that `wanted` lets through; the continue token is the index to go on from.
func (a *api) page(out http.ResponseWriter, in *http.Request, kind string, total int, t template, values func(int) []string, wanted func(int) bool) {
	query := in.URL.Query()
	limit, _ := strconv.Atoi(query.Get("limit"))
	from, _ := strconv.Atoi(query.Get("continue"))
	if limit <= 0 {
		limit = total
	}
	body := make([]byte, 0, min(limit, total-from)*roomEach)
	taken, next, left := 0, 0, 0
	for i := from; i < total; i++ {
		if wanted != nil && !wanted(i) {
			continue
		}
		if taken == limit {
			if next == 0 {
				next = i
			}
			left++
			continue
		}
		if taken > 0 {
			body = append(body, ',')
		}
		body = t.fill(body, values(i))
		taken++
	}
	meta := fmt.Sprintf(`{"kind":%q,"apiVersion":"v1","metadata":{"resourceVersion":%q`, kind, listVersion)
	if next > 0 {
		meta += fmt.Sprintf(`,"continue":"%d","remainingItemCount":%d`, next, left)
	}
	answer(out, in, http.StatusOK, []byte(meta+`},"items":[`), body, []byte("]}\n"))
}

// answer writes JSON, compressed as a real API server does it: from 128 KiB on, when the client asked for it.
func answer(out http.ResponseWriter, in *http.Request, code int, parts ...[]byte) {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	header := out.Header()
	header.Set("Content-Type", "application/json")
	var body io.Writer = out
	if size > 128<<10 && strings.Contains(in.Header.Get("Accept-Encoding"), "gzip") {
		header.Set("Content-Encoding", "gzip")
		compressed, _ := gzip.NewWriterLevel(out, gzip.BestSpeed)
		defer compressed.Close()
		body = compressed
	} else {
		header.Set("Content-Length", strconv.Itoa(size))
	}
	out.WriteHeader(code)
	for _, part := range parts {
		if _, err := body.Write(part); err != nil {
			return // the client went away
		}
	}
}

func status(out http.ResponseWriter, in *http.Request, code int, reason string) {
	answer(out, in, code, []byte(fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":%q,"message":%q,"code":%d}`, reason, in.URL.Path, code)))
}

// hold keeps a watch open, without changes, until its time is over or the client goes.
func hold(out http.ResponseWriter, in *http.Request) {
	seconds, err := strconv.Atoi(in.URL.Query().Get("timeoutSeconds"))
	if err != nil || seconds <= 0 {
		seconds = 1800
	}
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(http.StatusOK)
	out.(http.Flusher).Flush()
	select {
	case <-in.Context().Done():
	case <-time.After(time.Duration(seconds) * time.Second):
	}
}

// allowed answers a review of one's own rights: everything is.
func allowed(in *http.Request) string {
	var asked map[string]json.RawMessage
	_ = json.NewDecoder(in.Body).Decode(&asked)
	if asked == nil {
		asked = map[string]json.RawMessage{}
	}
	asked["status"] = json.RawMessage(`{"allowed":true,"incomplete":false,"nonResourceRules":[],"resourceRules":[{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}]}`)
	text, _ := json.Marshal(asked)
	return string(text)
}
