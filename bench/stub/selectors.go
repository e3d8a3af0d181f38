package main

import "strings"

// A requirement is one part of a selector: the key's value must (or must not) be one of `values`; no values: the key exists.
type requirement struct {
	key    string
	values []string
	not    bool
}

// parse reads equality and set-based selectors, as far as a reader of pods uses them: a=b, a!=b, a in (b,c), a notin (b), a, !a.
func parse(selector string) []requirement {
	var all []requirement
	for _, part := range split(selector) {
		part = strings.TrimSpace(part)
		switch {
		case part == "":
		case strings.Contains(part, " in ("), strings.Contains(part, " notin ("):
			key, rest, _ := strings.Cut(part, " ")
			values := strings.Split(strings.Trim(rest[strings.Index(rest, "(")+1:], ") "), ",")
			for i := range values {
				values[i] = strings.TrimSpace(values[i])
			}
			all = append(all, requirement{key, values, strings.HasPrefix(rest, "notin")})
		case strings.Contains(part, "!="):
			key, value, _ := strings.Cut(part, "!=")
			all = append(all, requirement{key, []string{value}, true})
		case strings.Contains(part, "="):
			key, value, _ := strings.Cut(part, "=")
			all = append(all, requirement{key, []string{strings.TrimPrefix(value, "=")}, false})
		default:
			all = append(all, requirement{strings.TrimPrefix(part, "!"), nil, strings.HasPrefix(part, "!")})
		}
	}
	return all
}

// split cuts at the commas that are not within parentheses.
func split(selector string) []string {
	var parts []string
	depth, start := 0, 0
	for i, c := range selector {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, selector[start:i])
			start = i + 1
		}
	}
	return append(parts, selector[start:])
}

func (r requirement) met(values map[string]string) bool {
	value, there := values[r.key]
	if r.values == nil {
		return there != r.not
	}
	for _, wanted := range r.values {
		if there && value == wanted {
			return !r.not
		}
	}
	return r.not
}

func met(all []requirement, values map[string]string) bool {
	for _, one := range all {
		if !one.met(values) {
			return false
		}
	}
	return true
}

// podFilter is nil when every pod is wanted: then no pod's identity is made twice.
func (a *api) podFilter(namespace, labelSelector, fieldSelector string) func(int) bool {
	labels, fields := parse(labelSelector), parse(fieldSelector)
	if namespace == "" && len(labels) == 0 && len(fields) == 0 {
		return nil
	}
	return func(i int) bool {
		space, name, node, has := a.world.identity(i)
		if namespace != "" && space != namespace || !met(labels, has) {
			return false
		}
		hostNetwork := "false"
		if i <= a.world.nodes {
			hostNetwork = "true"
		}
		return met(fields, map[string]string{"metadata.name": name, "metadata.namespace": space, "spec.nodeName": nodeName(node), "spec.hostNetwork": hostNetwork, "status.phase": "Running"})
	}
}

func nodeWanted(fieldSelector string, i int) bool {
	return fieldSelector == "" || met(parse(fieldSelector), map[string]string{"metadata.name": nodeName(i)})
}
