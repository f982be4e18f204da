package hpack

// TableSize is how many bytes the decoder's table has.
func TableSize(d *Decoder) int { return d.table.size }
