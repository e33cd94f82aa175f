"""The postern that is measured: its configuration, its process, and a system log that forgets what it gets."""
import os
import socket
import threading

import processes
import scratch

LOG = f"{scratch.RUN}/system-log.sock"
# No peer logs messages here, so postern does not either where it is held against them.
SILENT = 'destination = "stderr"\nlevel = "error"'
LOGGED = f'destination = "syslog"\nsocket = "{LOG}"'
STANDARD_ERROR = 'destination = "stderr"'


def start(name, log=SILENT, port=None, listener="", more="", program=None, output=None):
    """A postern of this name, on a unix socket and, if a port is given, on that as well.

    `listener` has further settings of the unix socket, `more` further tables; `output` says where standard error goes.
    """
    socket_path = f"{scratch.RUN}/{name}.sock"
    tcp = f'[[listen]]\nsocket = "inet:{port}@127.0.0.1"\n' if port else ""
    path = scratch.write(
        f"{scratch.RUN}/{name}.toml",
        f"""authserv_id = "mx.bench.test"
[[listen]]
socket = "unix:{socket_path}"
{listener}
{tcp}[trust]
networks = []
[checks]
iprev = false
[admin]
control = "{scratch.RUN}/{name}-control.sock"
[log]
{log}
{more}
""",
    )
    command = [program or scratch.postern(), "serve", "--config", path]
    return processes.Process(command, f"unix:{socket_path}", name, output)


def read_log():
    """Stands for the system log from now on."""
    os.makedirs(scratch.RUN, exist_ok=True)
    if os.path.exists(LOG):
        os.unlink(LOG)
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind(LOG)

    def forget():
        while log.recv(65536):
            pass

    threading.Thread(target=forget, daemon=True).start()
