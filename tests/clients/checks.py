"""What clients and servers of gRPC and WebSocket, a browser's gRPC-Web and curl see; tests/clients/run starts this.

usage: checks.py BINARY
"""
import asyncio, base64, http.client, http.server, queue, re, signal, socket, ssl, struct, subprocess, sys, tempfile, threading, time
from concurrent import futures
from pathlib import Path

import grpc
import websockets

PATIENCE = 20
CANCELLED = threading.Event()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


# -- servers -----------------------------------------------------------------------------------------------------------

def unary(request, context):
    context.send_initial_metadata((("x-begin", "1"),))
    context.set_trailing_metadata((("x-end", "2"), ("bin-bin", b"\x00\xff")))
    return b"<" + request + b">"


def fails(request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "no such thing: ä%")


def many(request, context):
    for number in range(int(request)):
        yield str(number).encode()


def gathers(requests, context):
    return str(sum(len(request) for request in requests)).encode()


def talks(requests, context):
    for request in requests:
        yield b"heard " + request


def hangs(request, context):
    context.add_callback(CANCELLED.set)
    CANCELLED.wait(PATIENCE)
    return b""


def grpc_server():
    server = grpc.server(futures.ThreadPoolExecutor(16), options=[("grpc.max_receive_message_length", 1 << 25)])
    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "Fails": grpc.unary_unary_rpc_method_handler(fails),
        "Many": grpc.unary_stream_rpc_method_handler(many),
        "Gathers": grpc.stream_unary_rpc_method_handler(gathers),
        "Talks": grpc.stream_stream_rpc_method_handler(talks),
        "Hangs": grpc.unary_unary_rpc_method_handler(hangs),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


class Plain(http.server.BaseHTTPRequestHandler):
    """Tells what came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b""
        if self.headers.get("Transfer-Encoding"):
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        text = f"{self.command} {self.path} {len(body)} {self.headers['X-Forwarded-Proto']} {self.headers.get('X-Forwarded-Prefix', '-')}\n"
        text += "." * 2000
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    do_POST = do_PUT = do_HEAD = do_GET

    def log_message(self, *_):
        pass


async def websocket(socket, *_):
    async for message in socket:
        if message == "close":
            return await socket.close(4321, "as you wish")
        await socket.send(message)


# -- checks ------------------------------------------------------------------------------------------------------------

class Checks:
    def __init__(self, ports, folder):
        self.ports, self.folder, self.done = ports, folder, 0

    def equal(self, what, found, expected):
        if found != expected:
            raise AssertionError(f"{what}: {found!r} instead of {expected!r}")
        self.done += 1

    def true(self, what, holds):
        self.equal(what, bool(holds), True)

    # gRPC

    def grpc(self, channel, way):
        call = lambda kind, name: getattr(channel, kind)(f"/test.Echo/{name}")
        answer, rpc = call("unary_unary", "Unary").with_call(b"a" * 3_000_000, timeout=PATIENCE)
        self.equal(f"{way}: unary", len(answer), 3_000_002)
        self.true(f"{way}: initial metadata", ("x-begin", "1") in [tuple(pair) for pair in rpc.initial_metadata()])
        trailing = {key: value for key, value in rpc.trailing_metadata()}
        self.equal(f"{way}: trailing metadata", (trailing.get("x-end"), trailing.get("bin-bin")), ("2", b"\x00\xff"))
        self.status(f"{way}: error", call("unary_unary", "Fails"), grpc.StatusCode.NOT_FOUND, "no such thing: ä%")
        self.equal(f"{way}: server stream", len(list(call("unary_stream", "Many")(b"1000", timeout=PATIENCE))), 1000)
        parts = (b"x" * 1000 for _ in range(300))
        self.equal(f"{way}: client stream", call("stream_unary", "Gathers")(parts, timeout=PATIENCE), b"300000")
        said = queue.Queue()
        answers = call("stream_stream", "Talks")(iter(said.get, None), timeout=PATIENCE)
        for word in (b"one", b"two", b"three"):
            said.put(word)
            self.equal(f"{way}: word by word", next(answers), b"heard " + word)
        said.put(None)
        self.equal(f"{way}: end of both streams", list(answers), [])
        CANCELLED.clear()
        self.status(f"{way}: deadline", call("unary_unary", "Hangs"), grpc.StatusCode.DEADLINE_EXCEEDED, None, timeout=0.5)
        self.true(f"{way}: the server hears that nobody waits", CANCELLED.wait(PATIENCE))

    def status(self, what, call, code, details, timeout=PATIENCE):
        try:
            call(b"", timeout=timeout)
            raise AssertionError(f"{what}: it worked")
        except grpc.RpcError as error:
            self.equal(what, error.code(), code)
            if details is not None:
                self.equal(what, error.details(), details)

    def grpc_refusals(self):
        for authority, code, details in [
            ("nowhere.test", grpc.StatusCode.UNIMPLEMENTED, "Not Found (no_route)"),
            ("dead.test", grpc.StatusCode.UNAVAILABLE, "Bad Gateway (connect_refused)"),
            ("denied.test", grpc.StatusCode.PERMISSION_DENIED, "Forbidden (ip_denied)"),
            ("auth.test", grpc.StatusCode.UNAUTHENTICATED, "Unauthorized (auth_denied)"),
        ]:
            options = [("grpc.default_authority", authority)]
            with grpc.insecure_channel(f"127.0.0.1:{self.ports['web']}", options=options) as channel:
                self.status(authority, channel.unary_unary("/test.Echo/Unary"), code, details)

    # gRPC-Web

    def grpc_web(self):
        message = b"\x00" + struct.pack(">I", 5) + b"hello"
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["web"], timeout=PATIENCE)
        origin = {"Host": "grpcweb.test", "Origin": "https://page.test"}
        preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-grpc-web"}
        connection.request("OPTIONS", "/test.Echo/Unary", headers={**origin, **preflight})
        answer = connection.getresponse()
        answer.read()
        self.true("gRPC-Web: preflight", answer.status in (200, 204) and answer.headers["Access-Control-Allow-Origin"])
        for kind, encode, decode in [
            ("application/grpc-web+proto", bytes, bytes),
            ("application/grpc-web-text+proto", base64.b64encode, self.from_text),
        ]:
            headers = {**origin, "Content-Type": kind, "X-Grpc-Web": "1", "Accept": kind}
            connection.request("POST", "/test.Echo/Unary", encode(message), headers)
            answer = connection.getresponse()
            body = decode(answer.read())
            # The server says application/grpc, without what it carries.
            told = (answer.status, answer.headers["Content-Type"].split("+")[0])
            self.equal(f"{kind}: status", told, (200, kind.split("+")[0]))
            self.equal(f"{kind}: message", body[:12] if body[:1] == b"\x00" else body, b"\x00" + struct.pack(">I", 7) + b"<hello>")
            self.equal(f"{kind}: mark of the trailers", body[12], 0x80)
            trailers = body[17:].decode("latin-1").lower()
            self.true(f"{kind}: {trailers!r}", "grpc-status: 0" in trailers.replace(":0", ": 0") and "x-end" in trailers)

    @staticmethod
    def from_text(text):
        """Each part may have padding of its own."""
        parts = re.findall(rb"[^=]+=*", text)
        return b"".join(base64.b64decode(part) for part in parts)

    # WebSocket

    async def websockets(self):
        tls = ssl.create_default_context(cafile=str(self.folder / "cert.pem"))
        for way, url, options in [
            ("ws", "ws://ws.test/chat/x", {"host": "127.0.0.1", "port": self.ports["web"]}),
            ("wss", f"wss://localhost:{self.ports['secure']}/chat/x", {"ssl": tls}),
        ]:
            async with websockets.connect(url, subprotocols=["echo"], max_size=1 << 24, **options) as socket:
                self.equal(f"{way}: subprotocol", socket.subprotocol, "echo")
                for message in ("text", b"\x00\x01", "ä" * 500_000, b"\xff" * (4 << 20)):
                    await socket.send(message)
                    self.equal(f"{way}: echo", await asyncio.wait_for(socket.recv(), PATIENCE), message)
                await asyncio.wait_for(await socket.ping(), PATIENCE)
                await socket.send("close")
                await asyncio.wait_for(socket.wait_closed(), PATIENCE)
                self.equal(f"{way}: close", (socket.close_code, socket.close_reason), (4321, "as you wish"))

            async def one(number):
                async with websockets.connect(url, **options) as socket:
                    await socket.send(str(number))
                    return await asyncio.wait_for(socket.recv(), PATIENCE)

            self.equal(f"{way}: many at once", await asyncio.gather(*map(one, range(50))), [str(n) for n in range(50)])

    # curl

    def curl(self, *arguments):
        command = ["curl", "-sS", "--max-time", str(PATIENCE), "--cacert", str(self.folder / "cert.pem"), *arguments]
        done = subprocess.run(command, capture_output=True, timeout=2 * PATIENCE)
        if done.returncode:
            raise AssertionError(f"{command}: {done.stderr.decode()}")
        return done.stdout

    def curls(self):
        web, secure = f"http://127.0.0.1:{self.ports['web']}", f"https://localhost:{self.ports['secure']}"
        host = ["-H", "Host: plain.test"]
        first = lambda *arguments: self.curl(*arguments).split(b"\n")[0].decode()
        big = self.folder / "big"
        big.write_bytes(b"z" * 2_000_000)
        self.equal("curl", first(*host, f"{web}/a?b"), "GET /a?b 0 http -")
        self.equal("curl --http1.0", first("--http1.0", *host, f"{web}/a"), "GET /a 0 http -")
        self.equal("curl h2c", first("--http2-prior-knowledge", *host, f"{web}/a"), "GET /a 0 http -")
        self.equal("curl over TLS", first("--http1.1", f"{secure}/a"), "GET /a 0 https -")
        self.equal("curl over HTTP/2", first("--http2", "-w", "\n%{http_version}", f"{secure}/a"), "GET /a 0 https -")
        self.true("curl speaks HTTP/2", self.curl("--http2", "-w", "%{http_version}", f"{secure}/a").endswith(b"2"))
        for version in ("--http1.1", "--http2"):
            self.equal(f"curl {version} upload", first(version, "-T", str(big), f"{secure}/up"), "PUT /up 2000000 https -")
            chunked = ["-T", str(big), "-H", "Transfer-Encoding: chunked"] if version == "--http1.1" else ["-T", str(big)]
            self.equal(f"curl {version} chunked", first(version, *chunked, f"{secure}/up"), "PUT /up 2000000 https -")
            expect = [version, "-H", "Expect: 100-continue", "--data-binary", f"@{big}", f"{secure}/e"]
            self.equal(f"curl {version} Expect", first(*expect), "POST /e 2000000 https -")
            self.true(f"curl {version} -I", b"content-length: 20" in self.curl(version, "-I", f"{secure}/a").lower())
        self.true("curl --compressed", len(self.curl("--compressed", "-H", "Host: small.test", f"{web}/a")) > 2000)
        small = self.curl("-H", "Host: small.test", "-H", "Accept-Encoding: gzip", f"{web}/a")
        self.true("curl gets gzip", small[:2] == b"\x1f\x8b" and len(small) < 500)
        self.equal("curl strips", first("-H", "Host: strip.test", f"{web}/api/x"), "GET /x 0 http /api")
        code = lambda *arguments: self.curl("-o", "/dev/null", "-w", "%{http_code}", *arguments).decode()
        for kind, name in (("--basic", "auth.test"), ("--digest", "digest.test")):
            self.equal(f"curl {kind}", code(kind, "-u", "test:test", "-H", f"Host: {name}", web), "200")
            self.equal(f"curl {kind}, wrong", code(kind, "-u", "test:wrong", "-H", f"Host: {name}", web), "401")
        resolve = ["--resolve", f"localhost:{self.ports['web']}:127.0.0.1", "--resolve", f"localhost:{self.ports['secure']}:127.0.0.1"]
        moved = first("-L", *resolve, f"http://localhost:{self.ports['web']}/moved")
        self.equal("curl -L to https", moved, "GET /moved 0 https -")


DYNAMIC = """
http:
  routers:
    grpc: {{rule: "Host(`grpc.test`)", service: grpc}}
    grpc-tls: {{rule: "Host(`localhost`) && PathPrefix(`/test.Echo`)", service: grpc, tls: {{}}}}
    grpc-web: {{rule: "Host(`grpcweb.test`)", service: grpc, middlewares: [web, te]}}
    dead: {{rule: "Host(`dead.test`)", service: dead}}
    denied: {{rule: "Host(`denied.test`)", service: grpc, middlewares: [deny]}}
    auth: {{rule: "Host(`auth.test`)", service: plain, middlewares: [basic]}}
    digest: {{rule: "Host(`digest.test`)", service: plain, middlewares: [digest]}}
    ws: {{rule: "Host(`ws.test`)", service: ws, middlewares: [chat]}}
    wss: {{rule: "Host(`localhost`) && PathPrefix(`/chat`)", service: ws, middlewares: [chat], tls: {{}}}}
    plain: {{rule: "Host(`plain.test`)", service: plain}}
    plain-tls: {{rule: "Host(`localhost`)", service: plain, tls: {{}}, priority: 1}}
    small: {{rule: "Host(`small.test`)", service: plain, middlewares: [small]}}
    strip: {{rule: "Host(`strip.test`)", service: plain, middlewares: [strip]}}
    moved: {{rule: "Host(`localhost`)", service: plain, middlewares: [secure], entryPoints: [web]}}
  middlewares:
    web: {{grpcWeb: {{allowOrigins: ["https://page.test"]}}}}
    te: {{headers: {{customRequestHeaders: {{TE: trailers}}}}}}
    deny: {{ipAllowList: {{sourceRange: [10.0.0.1]}}}}
    basic: {{basicAuth: {{users: ["test:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"]}}}}
    digest: {{digestAuth: {{users: ["test:traefik:aa9a1a1b52ffb8b6a2e6ac2d3bd4d9ad"]}}}}
    chat: {{stripPrefix: {{prefixes: [/chat]}}}}
    small: {{compress: {{}}}}
    strip: {{stripPrefix: {{prefixes: [/api]}}}}
    secure: {{redirectScheme: {{scheme: https, port: "{secure}"}}}}
  services:
    grpc: {{loadBalancer: {{servers: [{{url: "h2c://127.0.0.1:{grpc}"}}]}}}}
    dead: {{loadBalancer: {{servers: [{{url: "h2c://127.0.0.1:1"}}]}}}}
    ws: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{ws}"}}]}}}}
    plain: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{plain}"}}]}}}}
tls:
  certificates: [{{certFile: "{folder}/cert.pem", keyFile: "{folder}/key.pem"}}]
"""


def main():
    import hashlib

    global DYNAMIC
    DYNAMIC = DYNAMIC.replace("aa9a1a1b52ffb8b6a2e6ac2d3bd4d9ad", hashlib.md5(b"test:traefik:test").hexdigest())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
             "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        server, grpc_port = grpc_server()
        plain = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Plain)
        threading.Thread(target=plain.serve_forever, daemon=True).start()
        ports = {"web": free_port(), "secure": free_port(), "grpc": grpc_port, "plain": plain.server_address[1], "ws": free_port()}
        (folder / "dynamic.yml").write_text(DYNAMIC.format(folder=folder, **ports))
        (folder / "static.yml").write_text(
            f"entryPoints: {{web: {{address: '127.0.0.1:{ports['web']}'}}, secure: {{address: '127.0.0.1:{ports['secure']}'}}}}\n"
            f"providers: {{file: {{filename: '{folder}/dynamic.yml'}}}}\n")
        log = open(folder / "log", "w")
        router = subprocess.Popen([sys.argv[1], f"--configFile={folder}/static.yml"], stdout=log, stderr=log)
        try:
            checks = Checks(ports, folder)
            until(lambda: ready(ports["web"]), router)
            asyncio.run(with_websockets(checks, ports["ws"]))
            options = [("grpc.default_authority", "grpc.test"), ("grpc.max_receive_message_length", 1 << 25)]
            with grpc.insecure_channel(f"127.0.0.1:{ports['web']}", options=options) as channel:
                checks.grpc(channel, "h2c")
            credentials = grpc.ssl_channel_credentials((folder / "cert.pem").read_bytes())
            with grpc.secure_channel(f"localhost:{ports['secure']}", credentials, options=options[1:]) as channel:
                checks.grpc(channel, "TLS")
            checks.grpc_refusals()
            checks.grpc_web()
            checks.curls()
            print(f"{checks.done} checks passed")
        except BaseException:
            sys.stderr.write((folder / "log").read_text()[-3000:])
            raise
        finally:
            router.send_signal(signal.SIGTERM)
            router.wait(PATIENCE)
            server.stop(None)
            plain.shutdown()


async def with_websockets(checks, port):
    async with websockets.serve(websocket, "127.0.0.1", port, subprotocols=["echo"], max_size=1 << 24):
        await checks.websockets()


def ready(port):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        connection.request("GET", "/", headers={"Host": "plain.test"})
        return connection.getresponse().status == 200
    except OSError:
        return False


def until(is_so, router):
    end = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > end or router.poll() is not None:
            raise AssertionError("the router did not get ready")
        time.sleep(0.02)


main()
