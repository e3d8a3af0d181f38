package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// A template is JSON text cut at its placeholders: `texts[0]`, field `names[0]`, `texts[1]`, … the last text.
// Pages are filled for every request, so the names are looked up once, as places in a slice of values.
type template struct {
	texts []string
	names []int
}

// compile takes the white space out of `source`, puts `padding` in its place and cuts it.
func compile(source, padding string, fields []string) template {
	var compact strings.Builder
	quoted := false
	for i := 0; i < len(source); i++ {
		c := source[i]
		switch {
		case c == '\\' && quoted:
			compact.WriteByte(c)
			i++
			compact.WriteByte(source[i])
			continue
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '\n'):
			continue
		}
		compact.WriteByte(c)
	}
	text := strings.Replace(compact.String(), "@PADDING@", padding, 1)
	return cut(text, fields)
}

// cut splits at @NAME@; a lone @ (as in an image's digest) stays text.
func cut(text string, fields []string) template {
	var t template
	start := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '@' {
			continue
		}
		end := i + 1
		for end < len(text) && text[end] >= 'A' && text[end] <= 'Z' {
			end++
		}
		if end == i+1 || end >= len(text) || text[end] != '@' {
			continue
		}
		t.texts, t.names = append(t.texts, text[start:i]), append(t.names, place(text[i+1:end], fields))
		start, i = end+1, end
	}
	t.texts = append(t.texts, text[start:])
	return t
}

func place(name string, fields []string) int {
	for i, field := range fields {
		if field == name {
			return i
		}
	}
	panic("template: no value for " + name)
}

// fill appends the template's text to `out`, each placeholder replaced by its value.
func (t template) fill(out []byte, values []string) []byte {
	for i, name := range t.names {
		out = append(append(out, t.texts[i]...), values[name]...)
	}
	return append(out, t.texts[len(t.names)]...)
}

// sized compiles `source` so that an object filled with `sample` is about `size` bytes, by repeating `filler(i)`.
func sized(source string, size int, fields, sample []string, filler func(int) string) template {
	var parts []string
	for i := 0; ; i++ {
		parts = append(parts, filler(i))
		t := compile(source, strings.Join(parts, ","), fields)
		object := t.fill(nil, sample)
		if len(object) >= size {
			if !json.Valid(object) {
				panic(fmt.Sprintf("template: not JSON: %s", bytes.TrimSpace(object)))
			}
			return t
		}
	}
}
