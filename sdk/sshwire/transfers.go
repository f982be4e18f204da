package sshwire

// MaxPacket bounds a packet of SFTP that passes in the host, its length included; one that says it is longer is shown.
const MaxPacket = 1 << 20

// Limits of Transfers.
const (
	MaxHandles = 16  // that it may name
	MaxHandle  = 256 // bytes of one, the limit of SFTP
)

// AppendTransfers appends Transfers with these handles; with none nothing passes in the host from then on.
func AppendTransfers(b []byte, stream uint32, handles []string) []byte {
	start := len(b)
	b = Begin(b, stream, Transfers)
	for _, h := range handles {
		b = AppendString(b, h)
	}
	return End(b, start)
}
