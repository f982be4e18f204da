package guest

// FuelLeft is how many units are left in the guest's account, between calls. It is for measuring what a plugin spends; see [Fuel].
func (g *Guest) FuelLeft() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.acct.left
}

// FuelSpent is how many units the guest and its companions have spent so far, between calls.
func (g *Guest) FuelSpent() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.acct.given - g.acct.left
}
