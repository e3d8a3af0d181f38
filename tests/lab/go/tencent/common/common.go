package common

func StringPtr(v string) *string { return &v }
func BoolPtr(v bool) *bool       { return &v }
func StringPtrs(v []string) []*string {
	out := make([]*string, len(v))
	for i := range v {
		out[i] = &v[i]
	}
	return out
}
