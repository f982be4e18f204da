package proto

import "bytes"

// beginValues goes on with the data of the column whose name and type were read.
func (b *Block) beginValues() error {
	trusted := false
	if b.Want != nil && b.Want.Known() {
		typ, ok := b.Want.find(b.name, b.column)
		if !ok {
			return ErrColumn
		}
		trusted = bytes.Equal(typ, b.typ)
	}
	if b.Keep != nil {
		b.Keep.add(b.name, b.typ)
	}
	if b.rows == 0 {
		// Nothing follows; but a server that refuses the type is in the middle of the block, so it is read all the same. What the
		// server says itself is taken as it is.
		if b.Keep == nil {
			if err := b.kindOf(trusted); err != nil {
				return err
			}
		}
		b.next()
		return nil
	}
	if err := b.kindOf(trusted); err != nil {
		return err
	}
	b.m.begin(&b.kinds[b.column].l, b.rows, b.sparse)
	b.state = stPrefix
	return nil
}

func (b *Block) kindOf(trusted bool) error {
	if b.column == len(b.kinds) {
		b.kinds = append(b.kinds, columnKind{})
	}
	k := &b.kinds[b.column]
	how := trustNone
	switch {
	case b.Keep != nil || b.Trust:
		how = trustAnswer
	case trusted:
		how = trustNamed
	}
	if k.read && k.how == how && bytes.Equal(k.typ, b.typ) {
		return nil
	}
	k.read, k.how, k.typ = false, how, append(k.typ[:0], b.typ...)
	if err := readType(k.typ, how, b.Zone, &k.l); err != nil {
		return err
	}
	k.read = true
	return nil
}
