"""What every benchmark stands on: a folder for what it makes, the programs that it builds, a network of its own."""
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SCRATCH = os.environ.get("POSTERN_BENCH", "/tmp/postern-bench")
RUN = f"{SCRATCH}/run"
CORPUS = f"{SCRATCH}/corpus"
# Where every name server stands that is asked without being named.
NAME_SERVER = "127.0.53.53"


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(command, limit=300, **options):
    """The output of a program; ends with its complaints when it fails or takes too long."""
    try:
        return subprocess.run(command, capture_output=True, check=True, timeout=limit, **options).stdout
    except subprocess.TimeoutExpired:
        sys.exit(f"not done after {limit} s: {' '.join(command)}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(command)}: {error.stderr.decode(errors='replace')}")


def postern():
    """Postern as the README and the Debian package build it; $POSTERN names one that is built already."""
    if "POSTERN" not in os.environ:
        os.environ["POSTERN"] = build(ROOT, "--static-swift-stdlib", "--product", "postern") + "/postern"
    return os.environ["POSTERN"]


def load_program():
    """This package's load program; $POSTERN_LOAD names one that is built already."""
    if "POSTERN_LOAD" not in os.environ:
        os.environ["POSTERN_LOAD"] = build(HERE, "--product", "MilterLoad") + "/MilterLoad"
    return os.environ["POSTERN_LOAD"]


def build(package, *options):
    """Builds a package for release; gives the folder with its programs."""
    swift = run([f"{ROOT}/Packaging/find-swift"], 900).decode().strip()
    subprocess.run([swift, "build", "-c", "release", "--package-path", package, *options], check=True, stdout=sys.stderr)
    return f"{package}/.build/release"


def stripped(program):
    """The program without debugging information: valgrind cannot read what newer compilers write. Names are kept."""
    run(["objcopy", "--strip-debug", program, program + ".stripped"])
    return program + ".stripped"


def tool(name):
    """One of the small programs in Tools."""
    source, program = f"{HERE}/Tools/{name}.c", f"{SCRATCH}/bin/{name}"
    if not os.path.exists(program) or os.path.getmtime(program) < os.path.getmtime(source):
        os.makedirs(os.path.dirname(program), exist_ok=True)
        run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", program, source])
    return program


def enter():
    """Begins this program anew in a network of its own: loopback only, NAME_SERVER the only name server, and whatever it
    starts ends with it. Wants root."""
    if "POSTERN_BENCH_INSIDE" in os.environ:
        # The first process of a namespace ignores what it does not ask for.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
        return
    if os.geteuid() != 0:
        sys.exit("only root can give the daemons a network of their own")
    names = write(f"{RUN}/resolv.conf", f"nameserver {NAME_SERVER}\noptions timeout:2 attempts:3\n")
    script = f'ip link set lo up && mount --bind {names} /etc/resolv.conf && ulimit -n 20000 && exec "$@"'
    os.environ["POSTERN_BENCH_INSIDE"] = "yes"
    flags = ["--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]
    os.execvp("unshare", ["unshare", *flags, "sh", "-c", script, "sh", sys.executable, *sys.argv])
