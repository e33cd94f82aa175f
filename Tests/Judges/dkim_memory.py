#!/usr/bin/python3
"""Stream a message of 100 MB through the verifier and look at the process from outside.

Exits 1 when its resident memory grows by 1 MiB or more.

Environment: POSTERN, the postern binary; judge-driver is expected beside it.
"""

import os
import subprocess
import sys

OCTETS = 100_000_000
LIMIT = 1024

driver = os.path.join(os.path.dirname(os.environ["POSTERN"]), "judge-driver")
reply = subprocess.run([driver], input=f"stream\t{OCTETS}\n", capture_output=True, text=True, check=True).stdout.strip()
print(f"{OCTETS} octets: {reply}")
growth = reply.split(" KiB")[0]
sys.exit(0 if growth.isdigit() and int(growth) < LIMIT else 1)
