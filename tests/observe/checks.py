"""See run. Ends with 0 only if every check held."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

MANY = 100_000
failures = []


def check(holds, what):
    print(("ok    " if holds else "FAIL  ") + what, flush=True)
    if not holds:
        failures.append(what)


def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Router:
    """The binary with one router that answers by itself, its metrics, a live tail, and an access log at `log`."""

    def __init__(self, binary, log):
        folder = Path(tempfile.mkdtemp(prefix="observe-"))
        self.web, self.api = port(), port()
        (folder / "dynamic.yml").write_text(json.dumps({"http": {
            "middlewares": {"away": {"redirectRegex": {"regex": "^.*$", "replacement": "http://away.example/"}}},
            "services": {"s": {"loadBalancer": {"servers": [{"url": "http://127.0.0.1:1"}]}}},
            "routers": {"r": {"rule": "PathPrefix(`/`)", "service": "s", "middlewares": ["away"], "entryPoints": ["web"]}}}}))
        (folder / "static.yml").write_text(json.dumps({
            "entryPoints": {"web": {"address": f"127.0.0.1:{self.web}"}, "traefik": {"address": f"127.0.0.1:{self.api}"}},
            "api": {"insecure": True, "liveTail": {"size": 1000}}, "providers": {"file": {"filename": str(folder / "dynamic.yml")}},
            "metrics": {"prometheus": {"addRoutersLabels": True, "headerLabels": {"agent": "User-Agent"}}},
            "accessLog": {"filePath": str(log), "format": "json", "fields": {"headers": {"defaultMode": "keep"}}}}))
        self.process = subprocess.Popen([binary, f"--configFile={folder}/static.yml"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                if "r@file" in self.get("/api/rawdata"):
                    return
            except OSError:
                pass
            time.sleep(0.05)
        sys.exit("the router does not come up")

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.api}{path}", timeout=20) as answer:
            return answer.read().decode()

    def metric(self, name):
        return sum(float(line.rsplit(" ", 1)[1]) for line in self.get("/metrics").splitlines() if line.startswith(name))

    def memory(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def send(self, requests):
        """All of them over one connection, in groups; the slowest group, in seconds."""
        slowest = 0
        with socket.create_connection(("127.0.0.1", self.web)) as connection:
            connection.settimeout(20)
            for at in range(0, len(requests), 50):
                group = requests[at:at + 50]
                began = time.monotonic()
                connection.sendall(b"".join(group))
                got = b""
                while got.count(b"HTTP/1.1 30") < len(group):
                    part = connection.recv(1 << 16)
                    if not part:
                        return slowest
                    got += part
                slowest = max(slowest, time.monotonic() - began)
        return slowest

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
            return True
        except subprocess.TimeoutExpired:
            self.process.kill()
            return False


def plain(count):
    return [b"GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n"] * count


def hostile(binary):
    router = Router(binary, "/dev/null")
    try:
        router.send(plain(2000))
        before = router.memory()
        router.send([f"M{n} /p{n}?q={n} HTTP/1.1\r\nHost: h{n}.test\r\nUser-Agent: a{n}\r\nX-{n}: {n}\r\n\r\n".encode() for n in range(MANY)])
        page = router.get("/metrics")
        series = sum(1 for line in page.splitlines() if line and not line.startswith("#"))
        grown = router.memory() - before
        check(router.metric("traefik_entrypoint_requests_total") >= MANY, f"{MANY} requests of as many methods, hosts, paths and agents are counted")
        check(series < 5000, f"they make {series} series, all told")
        check(grown < 64, f"and {grown:.0f} MB of memory")
        check(len(router.get("/api/x/tail?after=0")) < 1 << 20, "the live tail keeps to its bound")
    finally:
        router.stop()


def full(binary):
    router = Router(binary, "/dev/full")
    try:
        slowest = router.send(plain(20000))
        check(slowest < 1, f"a full disk: the slowest 50 requests took {slowest * 1e3:.0f} ms")
        check(router.metric("trafficcop_access_log_lost_lines_total") > 0, "what a full disk refuses is counted")
    finally:
        check(router.stop(), "it stops with a full disk")


def slow(binary):
    pipe = Path(tempfile.mkdtemp(prefix="observe-")) / "pipe"
    os.mkfifo(pipe)
    opened = []
    # Somebody opens it for reading and never reads: the disk that does not come back.
    threading.Thread(target=lambda: opened.append(os.open(pipe, os.O_RDONLY)), daemon=True).start()
    router = Router(binary, pipe)
    try:
        slowest = router.send(plain(30000))
        check(slowest < 1, f"a disk that does not come back: the slowest 50 requests took {slowest * 1e3:.0f} ms")
        check(router.metric("trafficcop_access_log_lost_lines_total") > 0, "lines that do not fit the queue are counted")
    finally:
        check(router.stop(), "it stops all the same")


def main():
    for part in (hostile, full, slow):
        part(sys.argv[1])
    print("\n".join([f"{len(failures)} failed", *[f"failed: {it}" for it in failures]]) if failures else "what is observed costs traffic nothing")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
