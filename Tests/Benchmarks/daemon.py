"""The postern that stands beside the peers: its configuration, and a system log that forgets what it gets."""
import os
import socket
import threading

SCRATCH = os.environ.get("BENCH_TMP", "/tmp/bench")
LOG = f"{SCRATCH}/run/system-log.sock"
# No peer logs messages in the harness, so postern does not either where it is held against them.
SILENT = 'destination = "stderr"\nlevel = "error"'
LOGGED = f'destination = "syslog"\nsocket = "{LOG}"'


def configure(name, log, port=None):
    """Writes a configuration; gives its path, and the address of its unix socket."""
    path, address = f"{SCRATCH}/run/{name}.toml", f"unix:{SCRATCH}/run/{name}.sock"
    addresses = [address] + ([f"inet:{port}@127.0.0.1"] if port else [])
    listeners = "".join(f'[[listen]]\nsocket = "{each}"\n' for each in addresses)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(
            f"""authserv_id = "mx.bench.test"
{listeners}[trust]
networks = []
[checks]
iprev = false
[admin]
control = "{SCRATCH}/run/{name}-control.sock"
[log]
{log}
"""
        )
    return path, address


def read_log():
    """Stands for the system log from now on."""
    if os.path.exists(LOG):
        os.unlink(LOG)
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind(LOG)

    def forget():
        while log.recv(65536):
            pass

    threading.Thread(target=forget, daemon=True).start()
