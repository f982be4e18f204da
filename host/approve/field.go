package approve

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// fieldJSON is a field in JSON. Base64 is the text where it is not UTF-8, and Text then what is left of it.
type fieldJSON struct {
	Name   string `json:"name"`
	Text   string `json:"text"`
	Base64 []byte `json:"base64,omitempty"`
}

// MarshalJSON keeps every byte: a text that is not UTF-8 is there a second time, as the member "base64".
func (f Field) MarshalJSON() ([]byte, error) {
	j := fieldJSON{Name: f.Name, Text: f.Text}
	if !utf8.ValidString(f.Text) {
		j.Text, j.Base64 = strings.ToValidUTF8(f.Text, "\uFFFD"), []byte(f.Text)
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (f *Field) UnmarshalJSON(b []byte) error {
	var j fieldJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	f.Name, f.Text = j.Name, j.Text
	if len(j.Base64) > 0 {
		f.Text = string(j.Base64)
	}
	return nil
}
