package tunnel

import (
	"errors"
	"reflect"
	"unsafe"

	"golang.zx2c4.com/wireguard/device"
)

// inboundMost is how many packets from peers WireGuard may have read and not yet handed over or thrown away. Each takes 64 KiB.
const inboundMost = 1024

// boundInbound has WireGuard read no more from its socket while it works on inboundMost packets: what comes then waits in the system's buffer, or is lost. Its own
// queues have room for gigabytes, and who fills them need not know a key: packets that were seen on their way and are sent again count until they are
// decrypted. WireGuard has a bound for this, on phones only, and no option that sets it, so this sets the field. Nothing has been read when it is called, before
// the device is up.
//
// Packets to peers have another pool and another bound (package bridge): one that vanished could otherwise keep all of it.
func boundInbound(d *device.Device) error {
	most, err := mostInbound(d)
	if err == nil {
		*most = inboundMost
	}
	return err
}

func mostInbound(d *device.Device) (*uint32, error) {
	pools := reflect.ValueOf(d).Elem().FieldByName("pool")
	if pools.Kind() == reflect.Struct {
		if pool := pools.FieldByName("inboundElements"); pool.IsValid() && pool.Type() == reflect.TypeFor[*device.WaitPool]() {
			if most := pool.Elem().FieldByName("max"); most.Kind() == reflect.Uint32 {
				return (*uint32)(unsafe.Pointer(most.UnsafeAddr())), nil
			}
		}
	}
	return nil, errors.New("this version of WireGuard does not bound what it receives in the way that is known")
}
