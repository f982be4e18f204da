// Package client runs one command inside a Sallyport tunnel: all traffic of the command and of all its
// descendants goes through WireGuard to the gateway, or nowhere. It is `sallyport run`:
//
//	sallyport run --peer claude.conf -- psql -h prod-db
//
// # How
//
// The command starts in a network namespace of its own, in which there are only a loopback interface
// and a TUN device. WireGuard runs in this process, outside: its UDP socket belongs to the host's
// network, its other end is the TUN device. There is no route, no firewall rule and no interface on the
// host, hence nothing to clean up: the namespace vanishes with its last process. Where the peer has no
// IPv6 address (or no IPv4 address), the namespace has no route for it, so that neither is a way around.
// The host's loopback addresses and abstract sockets do not exist in the namespace.
//
// A mount namespace puts the tunnel's resolver into /etc/resolv.conf, restricts host names in
// /etc/nsswitch.conf to files and DNS, and hides the sockets of the host, because a process that listens
// outside may do things outside: container engines, systemd, D-Bus, X11, Wayland, tmux, databases. /run
// is replaced by an empty directory (but for what has no sockets in it, such as /run/secrets), so are the
// directories in /tmp where sockets live; and each socket that somebody on the host listens on when the
// command starts is covered, wherever it lies. Environment variables that point to them are removed. The
// SSH agent is hidden too, unless [Options.AllowSSHAgent] is set.
//
// # Trust
//
// Where the gateway ends TLS, the command sees certificates of the gateway's own CA. The CA's certificate is fetched inside the
// tunnel, from the gateway's address, to which WireGuard has proved the other end; nothing has to be installed. Files with the system's
// roots and this one are made in /run of the command's mounts, and these variables name them: SSL_CERT_FILE, CURL_CA_BUNDLE,
// REQUESTS_CA_BUNDLE, AWS_CA_BUNDLE, GIT_SSL_CAINFO, CARGO_HTTP_CAINFO, PIP_CERT and GRPC_DEFAULT_SSL_ROOTS_FILE_PATH.
// NODE_EXTRA_CA_CERTS (Node, Bun) and DENO_CERT, which add to what a program trusts, name the CA alone, and so does SALLYPORT_CA, for
// programs that are told by an argument (psql's sslrootcert). JAVA_TOOL_OPTIONS gets a trust store. A variable that is set already
// keeps its meaning: it then names a file with what it named before and the CA; what cannot be merged stays as it is, with a
// note on standard error. A gateway that gives out no CA changes nothing; one that does not answer delays the command by 5 seconds.
//
// The process that sets all this up becomes the command in the end. So the command's exit status,
// terminal, process group, working directory, signals and job control are its own, not an imitation. Of
// the descriptors above 2 that this process was started with, files and pipes are handed on (process
// substitution works); sockets and directories are not, they would lead outside.
//
// A peer is one tunnel: a second `sallyport run` with the same peer on the same host is refused while the
// first runs. Several commands share a tunnel when a shell that starts them is the command.
//
// # Exit status
//
// The command's own; 128+n if signal n ended it; 127 if it was not found, 126 if it cannot be executed,
// 125 if the tunnel could not be set up.
//
// # Signals
//
// SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 that are sent to this process are sent on to the command. So are
// SIGINT and SIGQUIT, unless this process is in the foreground of its terminal: then they came from the
// keyboard, and the terminal has sent them to the command already. If the command stops (Ctrl-Z), this
// process stops too, and a SIGCONT continues both.
//
// If this process is killed, the command gets SIGTERM. It and whatever it has started stay in their
// namespace, in which there is no network any more: they never fall back to the host's. The same holds for
// descendants that outlive the command: the tunnel ends with the command.
//
// # Privileges
//
// Root needs nothing else. Anyone else needs a kernel that lets users create user namespaces, and
// permission to open /dev/net/tun (mode 0666, as udev sets it on most distributions). The command keeps
// its user and group, has no capabilities, and set-user-ID programs such as sudo have no effect for it.
// A command that runs as root loses the capabilities with which it could get back into the host's network
// at once (setns, ptrace, loading modules, raw devices), not the right to write the host's files.
//
// # What this contains, and what it does not
//
// The tunnel catches all traffic of programs that do not try to get out. It does not contain a program
// that does, as long as it runs as a user who also runs things outside: it can write that user's
// ~/.bashrc, crontab or SSH keys, and wait; and a command that runs as root can write those of everybody.
// Against that there is one remedy, a separate user, who owns nothing that runs outside of tunnels:
//
//	useradd --system --create-home --shell /usr/sbin/nologin agent
//	install -D -o root -g root -m 0600 claude.conf /etc/sallyport/claude.conf
//	sudo sallyport run --peer /etc/sallyport/claude.conf -- \
//	    setpriv --reuid agent --regid agent --init-groups --no-new-privs --pdeathsig TERM \
//	    env --chdir=/home/agent HOME=/home/agent USER=agent LOGNAME=agent CMD…
//
// (setpriv asks for the death signal again, because changing the user cancels it.)
//
// The user must not be in groups such as docker, lxd, libvirt, sudo or wheel, must have no crontab, no
// at jobs and no lingering systemd instance (/etc/cron.allow, /etc/at.allow, loginctl disable-linger),
// and there must be no file outside its home that it can write and others execute. Sockets that come into
// being later outside of the hidden directories, or that belong to a container on a shared directory, are
// visible to it; their permissions must refuse it. In a virtual machine, AF_VSOCK leads to the hypervisor:
// unload the module vsock where that matters.
//
// # The helper
//
// [Run] starts its own executable again, as the process that becomes the command. A program that calls
// Run must therefore call [Helper] first of all in main, and in TestMain.
package client
