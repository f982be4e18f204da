package client

import "strings"

// leadsAround names the environment variables that point to something of the host outside the tunnel,
// or that hand over descriptors which the command does not get. A name that ends in * stands for all that
// begin so.
var leadsAround = []string{
	"DBUS_SESSION_BUS_*", "DBUS_SYSTEM_BUS_ADDRESS", "DBUS_STARTER_*",
	"DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST", "CONTAINERD_*", "BUILDKIT_HOST", "PODMAN_*", "LXD_SOCKET", "LXD_DIR",
	"INCUS_SOCKET", "LIBVIRT_DEFAULT_URI",
	"DISPLAY", "WAYLAND_*", "XAUTHORITY", "ICEAUTHORITY", "SESSION_MANAGER", "SWAYSOCK", "I3SOCK", "HYPRLAND_INSTANCE_SIGNATURE",
	"PULSE_SERVER", "PIPEWIRE_REMOTE",
	"TMUX", "TMUX_*", "STY", "ZELLIJ*", "KITTY_LISTEN_ON", "WEZTERM_UNIX_SOCKET", "NVIM", "NVIM_LISTEN_ADDRESS", "VSCODE_*",
	"SSH_AUTH_SOCK", "SSH_AGENT_PID", "GPG_AGENT_INFO", "GNOME_KEYRING_*",
	"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "JOURNAL_STREAM", "MANAGERPID",
	"WSL_INTEROP",
}

// cleanEnv returns the environment without what leads around the tunnel.
func cleanEnv(env []string, allowSSHAgent bool) []string {
	clean := make([]string, 0, len(env))
	for _, entry := range env {
		name, _, _ := strings.Cut(entry, "=")
		allowed := allowSSHAgent && (name == "SSH_AUTH_SOCK" || name == "SSH_AGENT_PID")
		if allowed || !isAround(name) {
			clean = append(clean, entry)
		}
	}
	return clean
}

func isAround(name string) bool {
	for _, pattern := range leadsAround {
		prefix, wild := strings.CutSuffix(pattern, "*")
		if name == prefix || wild && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// lookupEnv returns the last value of a variable, as most libraries see it, or "".
func lookupEnv(env []string, name string) string {
	value := ""
	for _, entry := range env {
		if v, found := strings.CutPrefix(entry, name+"="); found {
			value = v
		}
	}
	return value
}
