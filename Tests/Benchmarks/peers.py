"""The milters beside which postern is measured, as Debian packages them, each with a configuration that only judges."""
import os

import processes
import scratch

RUN, NAME_SERVER = scratch.RUN, scratch.NAME_SERVER
OPENDKIM = f"""Syslog no
Mode v
Socket local:{RUN}/opendkim.sock
AuthservID mx.bench.test
AlwaysAddARHeader yes
Nameservers {NAME_SERVER}
InternalHosts 127.0.0.1
ExternalIgnoreList 127.0.0.1
AutoRestart no
Background no
"""
OPENDMARC = f"""AuthservID mx.bench.test
TrustedAuthservIDs mx.bench.test
Socket local:{RUN}/opendmarc.sock
Syslog false
Background false
PublicSuffixList /usr/share/publicsuffix/public_suffix_list.dat
RejectFailures false
"""
PYSPF = f"""debugLevel = 0
TestOnly = 0
HELO_reject = False
Mail_From_reject = False
PermError_reject = False
TempError_Defer = False
skip_addresses = 127.0.0.0/8,::ffff:127.0.0.0/104,::1
Authserv_Id = mx.bench.test
Socket = local:{RUN}/pyspf.sock
PidFile = {RUN}/pyspf.pid
UserID = root
InternalHosts = 127.0.0.1
"""
DKIMPY = f"""Syslog no
Mode v
Socket local:{RUN}/dkimpy.sock
AuthservID mx.bench.test
PidFile {RUN}/dkimpy.pid
UserID root
InternalHosts 127.0.0.1
UMask 007
"""
# Its modules for SPF, DKIM, ARC and DMARC, and none that looks at content; caches as large as the corpus.
RSPAMD = f"""options {{
  pidfile = "{RUN}/rspamd.pid"; tempdir = "{RUN}"; cache_file = "{RUN}/symbols.cache"; hs_cache_dir = "{RUN}";
  filters = "dkim"; rrd = ""; history_file = ""; dynamic_conf = "{RUN}/rspamd.dynamic"; neighbours {{}}
  local_addrs = [127.0.0.0/8]; url_tld = "/usr/share/rspamd/effective_tld_names.dat"; task_timeout = 60s;
  dns {{ nameserver = ["{NAME_SERVER}:53"]; timeout = 1s; sockets = 16; retransmits = 5; }}
  control_socket = "{RUN}/rspamd-control.sock mode=0600";
}}
logging {{ type = "file"; filename = "{RUN}/rspamd.log"; level = "error"; }}
actions {{ reject = 1500; add_header = 600; greylist = 400; }}
group "policies" {{ max_score = 10; }}
worker "rspamd_proxy" {{
  bind_socket = "{RUN}/rspamd.sock mode=0666"; milter = yes; timeout = 120s; count = 2; max_retries = 5;
  discard_on_reject = false; quarantine_on_reject = false; spam_header = "X-Spam";
  upstream "local" {{ default = yes; self_scan = yes; }}
}}
modules {{ path = "/usr/share/rspamd/plugins/"; }}
spf {{ spf_cache_size = 2k; spf_cache_expire = 1d; max_dns_nesting = 10; max_dns_requests = 30; min_cache_ttl = 5m; }}
dkim {{
  dkim_cache_size = 2k; dkim_cache_expire = 1d; time_jitter = 6h; trusted_only = false; skip_multi = false; max_sigs = 5;
}}
arc {{ sign_local = false; sign_authenticated = false; sign_inbound = false; }}
dmarc {{ actions = {{}} }}
milter_headers {{
  use = ["authentication-results"]; extended_spam_headers = false; skip_local = false; skip_authenticated = false;
  routines {{ authentication-results {{ header = "Authentication-Results"; remove = 0; add_smtp_user = false; }} }}
}}
"""
# By name: the command in front of the configuration's path, and the configuration.
PEERS = {
    "opendkim": ("/usr/sbin/opendkim -f -x", OPENDKIM),
    "opendmarc": ("/usr/sbin/opendmarc -f -c", OPENDMARC + "SPFSelfValidate true\nSPFIgnoreResults true\n"),
    "opendmarc-last": ("/usr/sbin/opendmarc -f -c", OPENDMARC + "SPFSelfValidate false\nSPFIgnoreResults false\n"),
    "pyspf": ("/usr/bin/pyspf-milter", PYSPF),
    "dkimpy": ("/usr/bin/dkimpy-milter", DKIMPY),
    "rspamd": ("/usr/bin/rspamd -f -i -c", RSPAMD),
}
# What does together what postern does.
CHAIN = ("pyspf", "opendkim", "opendmarc-last")


def start(name):
    """The daemons of one peer, which a message passes one after the other."""
    return [start_one(each) for each in (CHAIN if name == "chain" else (name,))]


def start_one(name):
    if name == "null":
        path = f"{RUN}/null.sock"
        return processes.Process([scratch.tool("null_milter"), path], f"unix:{path}", name)
    command, configuration = PEERS[name]
    daemon = name.partition("-")[0]
    # One that a killed run left behind would keep it from starting.
    if os.path.exists(f"{RUN}/{daemon}.pid"):
        os.unlink(f"{RUN}/{daemon}.pid")
    path = scratch.write(f"{RUN}/{name}.conf", configuration)
    return processes.Process([*command.split(), path], f"unix:{RUN}/{daemon}.sock", name)
