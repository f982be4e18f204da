package tunnel

// Losses is how often the network stack took something for lost because of what arrived or did not arrive in time for its
// acknowledgement, other than by its retransmission timer.
func (t *Tunnel) Losses() uint64 {
	s := t.stack.Stats().TCP
	return s.FastRecovery.Value() + s.SACKRecovery.Value() + s.FastRetransmit.Value()
}
