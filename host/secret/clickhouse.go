package secret

import (
	"encoding/binary"
	"errors"
)

// clickhouseForm is a string of ClickHouse's native protocol, as the password stands in a client's hello: its length as a variable
// number (LEB128), and its bytes.
func clickhouseForm() Form {
	return Form{Name: "clickhouse", write: func(l Login) ([]byte, error) {
		value := l.Secret.Reveal()
		defer clear(value)
		switch {
		case len(value) > MaxValue-binary.MaxVarintLen16:
			return nil, errors.New("it is longer than 8 KiB")
		case control(value): // the server's own clients refuse them, too
			return nil, errControl
		}
		return append(binary.AppendUvarint(nil, uint64(len(value))), value...), nil
	}}
}
