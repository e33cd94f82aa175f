"""A name server that knows the names of the corpus, behind a relay that takes its time."""
import contextlib
import subprocess
import sys
import time

# python3-dnspython
import dns.exception
import dns.message
import dns.query

import scratch

NSD = f"{scratch.RUN}/nsd"
CONFIGURATION = f"""server:
  ip-address: 127.0.0.1@5300
  username: ""
  server-count: 1
  database: ""
  zonesdir: "{scratch.CORPUS}"
  pidfile: ""
  xfrdfile: "{NSD}/xfrd.state"
  zonelistfile: "{NSD}/zone.list"
  xfrdir: "{NSD}"
  rrl-ratelimit: 0
  minimal-responses: yes
remote-control:
  control-enable: no
zone:
  name: "."
  zonefile: "root.zone"
"""


@contextlib.contextmanager
def serving(delay=0):
    """A name server at scratch.NAME_SERVER that answers after so many milliseconds."""
    with contextlib.ExitStack() as stack:
        path = scratch.write(f"{NSD}/nsd.conf", CONFIGURATION)
        relay = [scratch.tool("dns_relay"), scratch.NAME_SERVER, "53", "127.0.0.1", "5300", str(delay)]
        for command in (["/usr/sbin/nsd", "-d", "-c", path], relay):
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        wait()
        yield


def wait():
    question = dns.message.make_query("mx.bench.test", "A")
    for _ in range(100):
        try:
            if dns.query.udp(question, scratch.NAME_SERVER, timeout=1).answer:
                return
        except (OSError, dns.exception.DNSException):
            pass
        time.sleep(0.1)
    sys.exit("the name server did not come up")
