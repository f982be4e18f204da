package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// TestFullDisk: what cannot be recorded is denied, and once there is room the same gateway goes on with a record that is whole. The
// gateway runs in a mount namespace in which its state is on a small file system.
func TestFullDisk(t *testing.T) {
	w := shared
	gw := w.gateway(t.Context(), t, w.oneEndpoint("deny"))
	ctx := w.deadline(t, gw)
	cmd := inNamespaces(ctx, t, gw, syscall.CLONE_NEWNS, "disk", w.binary, gw.Dir, filepath.Join(w.pgBin, "psql"), strconv.Itoa(w.pg.Port), w.pg.LogFile())
	if got := finish(ctx, t, cmd, ""); got.status != 0 {
		t.Errorf("%s%s", got.out, got.err)
	}
}

// disk is a role: it runs as root of a mount namespace of its own.
func disk(ctx context.Context, args []string) (err error) {
	binary, dir, psql, port, serverLog := args[0], args[1], args[2], args[3], args[4]
	gw := rig.Existing(binary, dir)
	state := filepath.Join(dir, "state")
	if err := smallDisk(state); err != nil {
		return err
	}
	os.Unsetenv(roleEnv)
	if err := gw.Serve(ctx); err != nil {
		return err
	}
	defer func() {
		if end := gw.Stop(); end != nil || err != nil {
			err = errors.Join(err, end, errors.New(gw.Log()))
		}
	}()
	ask := func(marker string) string {
		out, _ := gw.Agent(ctx, psql, "-XAtq", "-h", "db", "-p", port, "-U", "postgres", "-d", "postgres", "-c", "select '"+marker+"'").CombinedOutput()
		return strings.TrimSpace(string(out))
	}
	if got := ask("disk_before"); got != "disk_before" {
		return fmt.Errorf("with room: %q", got)
	}
	filler := filepath.Join(state, "filler")
	if err := fill(filler); err != nil {
		return err
	}
	denied := 0
	for i := 0; denied < 3; i++ { // the last block of the record may have room for a few lines
		marker := fmt.Sprintf("disk_full_%d_", i)
		got := ask(marker)
		log, err := os.ReadFile(serverLog)
		if err != nil {
			return err
		}
		reached := strings.Contains(string(log), marker)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case reached && !strings.Contains(gw.Receipts(), marker):
			return fmt.Errorf("%s reached the server without a receipt: %q", marker, got)
		case !reached && strings.Contains(got, "cannot record"):
			denied++
		case got != marker:
			return fmt.Errorf("with a full disk: %q", got)
		}
	}
	if err := os.Remove(filler); err != nil {
		return err
	}
	if got := ask("disk_after"); got != "disk_after" {
		return fmt.Errorf("with room again: %q", got)
	}
	if out, err := gw.Command(ctx, "receipts", "verify", "--config", gw.Config).CombinedOutput(); err != nil {
		return fmt.Errorf("verify: %w: %s", err, out)
	}
	return nil
}

// smallDisk puts a small file system over a folder, with what is in it.
func smallDisk(state string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	aside := state + ".aside"
	if err := os.Rename(state, aside); err != nil {
		return err
	}
	if err := os.Mkdir(state, 0o700); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", state, "tmpfs", 0, "mode=0700,size=96m"); err != nil {
		return fmt.Errorf("mount a small file system: %w", err)
	}
	return rig.CopyCache(state, aside) // the key as well
}

// fill writes a file until nothing more fits.
func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			return err
		}
	}
	return nil
}
