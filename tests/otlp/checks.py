"""The same requests through real Traefik and through the candidate, and what a collector got of both; see run."""

import json
import http.server
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from collector import Collector

PATIENCE = 20
failures = []
REMOTE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
# Of the process; what each program says of itself differs.
OF_THE_PROGRAM = ("telemetry.", "process.", "service.version", "os.description", "container.id")


def check(holds, what):
    print(("ok    " if holds else "FAIL  ") + what, flush=True)
    if not holds:
        failures.append(what)


def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = []

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        Upstream.seen.append({name.lower(): value for name, value in self.headers.items()})
        body = b"hello"
        self.send_response(500 if "fail" in self.path else 200)
        self.send_header("X-Resp", "yes")
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


def settings(folder, web, collector, wire, extra):
    def to(signal):
        if wire == "grpc":
            return {"grpc": {"endpoint": f"127.0.0.1:{collector.grpc_port}", "insecure": True, "headers": {"h": "x"}}}
        return {"http": {"endpoint": f"http://127.0.0.1:{collector.http_port}/v1/{signal}", "headers": {"h": "x"}}}
    return {
        "entryPoints": {"web": {"address": f"127.0.0.1:{web}"}},
        "providers": {"file": {"filename": str(folder / "dynamic.yml")}},
        "global": {"checkNewVersion": False},
        "tracing": {"serviceName": "svc", "resourceAttributes": {"k": "v"}, "capturedRequestHeaders": ["X-Req", "User-Agent"],
                    "capturedResponseHeaders": ["X-Resp"], "safeQueryParams": ["safe"], "otlp": to("traces"), **extra},
        "metrics": {"otlp": {**to("metrics"), "pushInterval": "1s", "addRoutersLabels": True}},
        "accessLog": {"otlp": to("logs")},
        "log": {"level": "INFO", "otlp": to("logs")},
        "experimental": {"otlpLogs": True},
    }


def dynamic(upstream):
    detailed = {"traceVerbosity": "detailed"}
    return {"http": {
        "middlewares": {
            "auth": {"basicAuth": {"users": ["u:{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs="]}}, "p": {"addPrefix": {"prefix": "/p"}},
            "again": {"retry": {"attempts": 2, "initialInterval": "1ms"}}, "ask": {"forwardAuth": {"address": f"http://127.0.0.1:{upstream}/auth"}},
            "few": {"rateLimit": {"average": 1000, "burst": 1000}}, "here": {"ipAllowList": {"sourceRange": ["127.0.0.1/32"]}},
            "slim": {"compress": {}}, "head": {"headers": {"customRequestHeaders": {"X-Added": "1"}}}, "whole": {"buffering": {"maxRequestBodyBytes": 1000}},
            "off": {"stripPrefix": {"prefixes": ["/none"]}}, "cut": {"circuitBreaker": {"expression": "NetworkErrorRatio() > 0.5"}},
            "page": {"errors": {"status": ["599"], "service": "a", "query": "/"}}, "some": {"inFlightReq": {"amount": 100}},
            "both": {"chain": {"middlewares": ["few", "head"]}},
        },
        "services": {"a": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{upstream}"}]}},
                     "dead": {"loadBalancer": {"servers": [{"url": "http://127.0.0.1:1"}]}}},
        "routers": {
            "r": {"rule": "Host(`a.test`)", "service": "a", "middlewares": ["p"]},
            "d": {"rule": "Host(`d.test`)", "service": "a", "middlewares": ["p", "again"], "observability": detailed},
            "kinds": {"rule": "Host(`kinds.test`)", "service": "a", "observability": detailed,
                      "middlewares": ["few", "here", "slim", "head", "whole", "off", "cut", "page", "some"]},
            "chained": {"rule": "Host(`chained.test`)", "service": "a", "middlewares": ["both", "p"], "observability": detailed},
            "dead": {"rule": "Host(`dead.test`)", "service": "dead", "middlewares": ["again"], "observability": detailed},
            "auth": {"rule": "Host(`auth.test`)", "service": "a", "middlewares": ["auth"], "observability": detailed},
            "ask": {"rule": "Host(`ask.test`)", "service": "a", "middlewares": ["ask"], "observability": detailed},
            "no": {"rule": "Host(`no.test`)", "service": "a", "observability": {"tracing": False}},
        },
    }}


def ask(web, host, path="/x?a=1&safe=2", headers=None, body=None):
    request = urllib.request.Request(f"http://127.0.0.1:{web}{path}", data=body, headers={"Host": host, "User-Agent": "test", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def until(probe, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if probe():
                return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


def run(binary, wire, env=None, extra=None):
    """What a collector got of the scenario, and what the upstream saw."""
    folder, collector, web = Path(tempfile.mkdtemp(prefix="otlp-")), Collector(), port()
    upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    (folder / "dynamic.yml").write_text(json.dumps(dynamic(upstream.server_address[1])))
    (folder / "static.json").write_text(json.dumps(settings(folder, web, collector, wire, extra or {})))
    log = open(folder / "log", "wb")
    process = subprocess.Popen([binary, f"--configFile={folder}/static.json"], stdout=log, stderr=log, env=env)
    try:
        if not until(lambda: ask(web, "no.test", "/") == 200):
            sys.exit("the router does not come up: " + (folder / "log").read_text()[-2000:])
        Upstream.seen.clear()
        ask(web, "a.test", headers={"X-Req": "one"})
        ask(web, "d.test", "/y", headers={"traceparent": REMOTE, "baggage": "a=b"})
        for host in ("kinds.test", "chained.test", "dead.test", "auth.test", "ask.test", "no.test", "none.test"):
            ask(web, host, "/z")
        ask(web, "a.test", "/fail", body=b"abc")
        expected = 9 if not extra else 0
        until(lambda: len([1 for line in collector.lines if "RequestMethod" in line["attributes"]]) >= 10 and "traefik_router_requests_total" in collector.metrics
              and (not expected or len([1 for span in collector.spans if span["kind"] == "SPAN_KIND_SERVER"]) >= 8))
    finally:
        process.terminate()
        process.wait(20)
        collector.stop()
        upstream.shutdown()
    return collector, list(Upstream.seen)


def tree(collector):
    """Spans as their places in their trees, in an order of their own; ports and times left out."""
    by_id = {span["spanId"]: span for span in collector.spans}
    ports = ("client.port", "network.peer.port", "server.port", "url.full", "server.address")

    def path(span):
        above = by_id.get(span.get("parentSpanId"))
        host = "" if above else str(span["attributes"].get("server.address"))
        return (path(above) + " > " if above else host + " ") + span["name"]

    def told(span):
        kept = {name: value for name, value in span["attributes"].items() if name not in ports}
        names = sorted(span["attributes"])
        return path(span), span["kind"], json.dumps(span.get("status") or {}, sort_keys=True), json.dumps(kept, sort_keys=True), str(names)
    # Asked again and again until the router was there.
    return sorted({told(span) for span in collector.spans if not path(span).startswith("no.test")})


def shape(collector):
    """Metrics without their values: kind, unit, temporality, and the labels of each series."""
    return {name: (kind, unit, json.dumps(manner, sort_keys=True), sorted({json.dumps(labels, sort_keys=True) for labels, _ in points}))
            for name, (kind, unit, manner, points) in collector.metrics.items()}


def lines(collector):
    return sorted({str(sorted(line["attributes"])) for line in collector.lines if "RequestMethod" in line["attributes"]})


def compare(ours, theirs, what):
    check(ours == theirs, what)
    if ours != theirs:
        for one in theirs:
            if one not in ours:
                print("      only Traefik:", one)
        for one in ours:
            if one not in theirs:
                print("      only ours:   ", one)


def against_traefik(binary, traefik):
    theirs, _ = run(traefik, "http")
    for wire in ("http", "grpc"):
        ours, seen = run(binary, wire)
        compare(tree(ours), tree(theirs), f"{wire}: spans, names, kinds, statuses and attributes are Traefik's")
        named = {name: told for name, told in shape(theirs).items() if not name.startswith("http.")}
        compare(sorted(shape(ours).items()), sorted(named.items()), f"{wire}: metrics, types, units and labels are Traefik's")
        compare(lines(ours), lines(theirs), f"{wire}: attributes of the access log are Traefik's")
        own = {name: value for name, value in ours.resources["traces"].items() if not name.startswith(OF_THE_PROGRAM)}
        other = {name: value for name, value in theirs.resources["traces"].items() if not name.startswith(OF_THE_PROGRAM)}
        compare(sorted(own.items()), sorted(other.items()), f"{wire}: the resource is told alike")
        check(ours.headers["traces"].get("h", ours.headers["traces"].get("H")) == "x", f"{wire}: headers of the settings are sent")
        check(any("Server is ready." in str(line.get("body")) for line in ours.lines), f"{wire}: the log is sent")


def propagation(binary):
    trace = "0af7651916cd43dd8448eb211c80319c"
    _, seen = run(binary, "http")
    check(any(trace in one.get("traceparent", "") and one.get("baggage") == "a=b" for one in seen), "traceparent goes on, and baggage with it")
    check(sum("traceparent" not in one for one in seen) == 1, "a router without tracing tells nobody")
    for word, header in (("b3", "b3"), ("b3multi", "x-b3-traceid"), ("jaeger", "uber-trace-id")):
        _, seen = run(binary, "http", env={"OTEL_PROPAGATORS": word})
        check(sum(header in one for one in seen) >= 3 and not any("traceparent" in one and one["traceparent"] != REMOTE for one in seen), f"OTEL_PROPAGATORS={word}")
    collector, seen = run(binary, "http", extra={"sampleRate": 0.0})
    servers = [span for span in collector.spans if span["kind"] == "SPAN_KIND_SERVER"]
    check(len(servers) == 1, f"at a rate of nothing only what the sender samples is sent ({len(servers)})")
    check(any(one.get("traceparent", "").endswith("-00") for one in seen), "what is not sampled says so")


def dead_collector(binary):
    """Nobody takes what is sent: traffic goes on, and a counter says what was lost."""
    folder, web, metrics = Path(tempfile.mkdtemp(prefix="otlp-")), port(), port()
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen(1)
    nowhere = {"http": {"endpoint": f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces"}}
    (folder / "dynamic.yml").write_text(json.dumps({"http": {
        "middlewares": {"away": {"redirectScheme": {"scheme": "https"}}},
        "routers": {"r": {"rule": "PathPrefix(`/`)", "service": "noop@internal", "middlewares": ["away"], "entryPoints": ["web"]}}}}))
    (folder / "static.json").write_text(json.dumps({
        "entryPoints": {"web": {"address": f"127.0.0.1:{web}"}, "metrics": {"address": f"127.0.0.1:{metrics}"}},
        "providers": {"file": {"filename": str(folder / "dynamic.yml")}}, "metrics": {"prometheus": {"entryPoint": "metrics"}},
        "experimental": {"otlpLogs": True}, "tracing": {"otlp": nowhere, "addInternals": True}, "accessLog": {"otlp": nowhere, "addInternals": True}}))
    process = subprocess.Popen([binary, f"--configFile={folder}/static.json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def lost():
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=5) as answer:
            (line,) = [line for line in answer.read().decode().splitlines() if line.startswith("trafficcop_otlp_lost_total")]
            return int(line.split()[1])

    def one(count, slowest):
        with socket.create_connection(("127.0.0.1", web)) as connection:
            for _ in range(count):
                began = time.monotonic()
                connection.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
                got = b""
                while b"\r\n\r\n" not in got:
                    got += connection.recv(4096)
                slowest.append(time.monotonic() - began)

    try:
        until(lambda: socket.create_connection(("127.0.0.1", web)).close() is None)
        slowest = []
        one(12000, slowest)
        slowest.sort()
        check(slowest[len(slowest) // 2] < 0.02 and slowest[-1] < 2, f"a collector that is silent: median {slowest[6000] * 1e6:.0f} µs, slowest {slowest[-1] * 1e3:.0f} ms")
        check(until(lambda: lost() > 0, 40), "what was lost is counted")
        began = time.monotonic()
        process.terminate()
        process.wait(30)
        check(time.monotonic() - began < 12, f"it stops all the same, after {time.monotonic() - began:.1f} s")
    finally:
        process.kill()
        silent.close()


def main():
    binary = sys.argv[1]
    if len(sys.argv) > 2:
        against_traefik(binary, sys.argv[2])
    propagation(binary)
    dead_collector(binary)
    print("\n".join([f"{len(failures)} failed", *[f"failed: {it}" for it in failures]]) if failures else "collectors get what they should")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
