package extism

// FuelLeft is how many units are left in the guest's account, between calls. It is for measuring what a plugin spends.
func (g *Guest) FuelLeft() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.meter.left
}
