package receipt

import "fmt"

// Mark is a place in the record, up to which it can be settled. The zero Mark is the beginning.
type Mark struct{ seq, losses uint64 }

// And is a place that is settled when m and next are; next is of a record that was added later.
func (m Mark) And(next Mark) Mark {
	if m != (Mark{}) && m.losses != next.losses { // what m stands for was lost, and stays so
		return m
	}
	return next
}

// Add is the first half of Append, and Settle the second: the record has its place and its id, and is as durable as the options ask when Settle returns for its
// mark. So several records can share one write. Whatever a record is to permit must not happen before. Without a Settle it is in the
// file with the next Append, or LaterEvery later.
//
// While the file cannot be written Add is Append, so that who asks hears of it at once.
func (l *Log) Add(r *Record) (id string, at Mark, err error) {
	if r.Kind.own() || r.Kind == "" {
		return "", Mark{}, fmt.Errorf("receipts: a record of kind %q cannot be appended", r.Kind)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if id, err = l.add(r); err != nil {
		return "", Mark{}, err
	}
	at = Mark{l.next.seq, l.losses}
	if l.failing {
		if err := l.flush(); err != nil {
			return "", Mark{}, err
		}
	}
	nudge(l.late)
	return id, at, nil
}

// Settle returns when everything before the mark is as durable as the options ask. An error says that some of it may not be in the file.
func (l *Log) Settle(at Mark) error {
	if at == (Mark{}) {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.losses != at.losses:
		return ErrLost
	case l.written.seq >= at.seq:
		return nil
	case l.writing && l.underEnd >= at.seq:
		return l.wait(l.under)
	}
	return l.flush()
}
