"""What aioquic sees of an entry point with `http3`; tests/http3/run starts this.

usage: checks.py BINARY
"""
import asyncio, hashlib, http.server, os, re, signal, socket, ssl, subprocess, sys, tempfile, threading
from pathlib import Path

import h2.config, h2.connection, h2.events
from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, FrameType, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, StreamReset

PATIENCE = 30


class Server(http.server.BaseHTTPRequestHandler):
    """Tells the method, the length and the SHA-256 of what came, and who is said to have asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body, held = b"", self.path == "/held"
        if self.headers.get("Transfer-Encoding"):
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if held:
            HELD.set()
            GO.wait(PATIENCE)
        chunked = "chunked" if self.headers.get("Transfer-Encoding") else "plain"
        text = f"{self.command} {len(body)} {hashlib.sha256(body).hexdigest()} {chunked} {self.headers['X-Forwarded-Proto']}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    do_POST = do_HEAD = do_GET

    def log_message(self, *_):
        pass


HELD, GO = threading.Event(), threading.Event()


class Backend(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


class Http3(H3Connection):
    """aioquic holds the length that an answer to HEAD tells against its body, which has none."""

    heads = frozenset()
    is_told_to_go = False

    # aioquic passes GOAWAY over: older versions in the one, newer ones in the other.
    def _handle_control_frame(self, frame_type, frame_data):
        self.is_told_to_go |= frame_type == FrameType.GOAWAY
        super()._handle_control_frame(frame_type, frame_data)

    def _check_control_frame_type(self, frame_type):
        self.is_told_to_go |= frame_type == FrameType.GOAWAY
        super()._check_control_frame_type(frame_type)

    def _check_content_length(self, stream):
        if stream.stream_id not in self.heads:
            super()._check_content_length(stream)


class Client(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http, self.answers = Http3(self._quic), {}

    def begin(self, method, path, authority, body=None, length=None, more=()):
        stream = self._quic.get_next_available_stream_id()
        done = asyncio.get_running_loop().create_future()
        self.answers[stream] = [[], b"", done]
        if method == b"HEAD":
            self.http.heads |= {stream}
        headers = [(b":method", method), (b":scheme", b"https"), (b":authority", authority), (b":path", path), *more]
        if body is not None:
            headers.append((b"content-length", str(len(body) if length is None else length).encode()))
        self.http.send_headers(stream, headers, end_stream=body is None)
        if body is not None:
            self.http.send_data(stream, body, end_stream=True)
        self.transmit()
        return done

    async def ask(self, method=b"GET", path=b"/", authority=b"a.test", **more):
        return await asyncio.wait_for(self.begin(method, path, authority, **more), PATIENCE)

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated):
            for _, _, done in self.answers.values():
                if not done.done():
                    done.set_exception(ConnectionError(f"the connection ended: {event}, told to go: {self.http.is_told_to_go}"))
        if isinstance(event, StreamReset) and event.stream_id in self.answers:
            self.answers[event.stream_id][2].set_result((None, b""))
        for got in self.http.handle_event(event):
            answer = self.answers.get(got.stream_id)
            if answer is None:
                continue
            if isinstance(got, HeadersReceived):
                answer[0] += got.headers
            elif isinstance(got, DataReceived):
                answer[1] += got.data
            if got.stream_ended and not answer[2].done():
                answer[2].set_result((dict(answer[0]), answer[1]))


def client(port, name="a.test", certificate=None, ticket=None, tickets=None):
    config = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name=name, verify_mode=ssl.CERT_NONE)
    if certificate:
        config.load_cert_chain(*certificate)
    config.session_ticket = ticket
    return connect("127.0.0.1", port, configuration=config, create_protocol=Client, session_ticket_handler=tickets)


def over_h2(port):
    """The headers of an answer over HTTP/2 on TLS."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as raw, context.wrap_socket(raw, server_hostname="a.test") as tls:
        speaker = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        speaker.initiate_connection()
        request = {":method": "GET", ":path": "/", ":authority": "a.test", ":scheme": "https"}
        speaker.send_headers(1, list(request.items()), end_stream=True)
        tls.sendall(speaker.data_to_send())
        while True:
            for event in speaker.receive_data(tls.recv(65536)):
                if isinstance(event, h2.events.ResponseReceived):
                    return dict(event.headers)
            tls.sendall(speaker.data_to_send())


def check(what, true, seen=""):
    print(f"{'ok' if true else 'FAILED':7} {what}", flush=True)
    if not true:
        raise SystemExit(f"{what}: {seen!r}")


def certificate(folder, name):
    made = [str(Path(folder, f"{name}.{end}")) for end in ("crt", "key")]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-out", made[0], "-keyout", made[1]]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return made


async def checks(port, files, router, log):
    body = bytes(range(256)) * 40_000
    digest = hashlib.sha256(body).hexdigest()
    told = over_h2(port).get("alt-svc", "")
    check("HTTP/2 tells of HTTP/3", told == f'h3=":{port}"; ma=2592000', told)
    port = int(re.search(r'h3=":(\d+)"', told)[1])
    async with client(port) as http3:
        head, text = await http3.ask()
        check("GET where Alt-Svc points", head[b":status"] == b"200" and text.startswith(b"GET 0 "), (head, text))
        check("a GET without a body stays one", text.endswith(b" plain https"), text)
        check("HTTP/3 does not tell of itself", b"alt-svc" not in head, head)
        head, text = await http3.ask(b"HEAD")
        check("HEAD", head[b":status"] == b"200" and text == b"", (head, text))
        head, text = await http3.ask(b"POST", body=body)
        check("POST of 10 MB", text.startswith(f"POST {len(body)} {digest} ".encode()), text)
        head, text = await http3.ask(b"POST", body=b"short", length=50)
        check("a body shorter than announced is no request", head is None or head[b":status"] != b"200", (head, text))
        answers = await asyncio.gather(*(http3.ask(path=b"/%d" % n) for n in range(100)))
        check("100 streams", all(head[b":status"] == b"200" for head, _ in answers))
        head, _ = await http3.ask(path=b"/", authority=b"none.test")
        check("no route is 404", head[b":status"] == b"404", head)
        head, _ = await http3.ask(authority=b"strict.test")
        check("another name with other options is 421", head[b":status"] == b"421", head)
        head, _ = await http3.ask(more=[(b":unknown", b"1")])
        check("a malformed head is reset", head is None, head)
        head, _ = await http3.ask(more=[(b"x%d" % number, b"1" * 30_000) for number in range(40)])
        check("a head that is too large is 431", head and head[b":status"] == b"431", head)
        before = http3._transport.get_extra_info("sockname")
        fresh = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        fresh.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        fresh.bind(("::", 0))
        moved, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: http3, sock=fresh)
        head, _ = await http3.ask()
        check("a client that moves keeps its connection", head[b":status"] == b"200" and moved.get_extra_info("sockname") != before)
    async with client(port, "b.test") as http3:
        shown = http3._quic.tls._peer_certificate.subject.rfc4514_string()
        check("the certificate follows the name", shown == "CN=b.test", shown)
    tickets = []
    async with client(port, tickets=tickets.append) as http3:
        await http3.ask()
    check("a ticket allows no early data", tickets and not tickets[0].max_early_data_size, tickets)
    async with client(port, ticket=tickets[0]) as http3:
        head, _ = await http3.ask()
        tls = http3._quic.tls
        check("it resumes the session, without early data", head[b":status"] == b"200" and tls.session_resumed and not tls.early_data_accepted)
    tickets[0].server_name = "strict.test"
    try:
        async with client(port, "strict.test", ticket=tickets[0]) as http3:
            await http3.ask(authority=b"strict.test")
        refused = False
    except (ConnectionError, asyncio.TimeoutError):
        refused = True
    check("it opens nothing under other options", refused)
    try:
        async with client(port, "strict.test") as http3:
            await http3.ask(authority=b"strict.test")
        refused = False
    except (ConnectionError, asyncio.TimeoutError):
        refused = True
    check("no client certificate where one is wanted: no answer", refused)
    async with client(port, "strict.test", files["client"]) as http3:
        head, _ = await http3.ask(authority=b"strict.test")
        check("a client certificate opens", head[b":status"] == b"200", head)
    async with client(port) as http3:
        held = http3.begin(b"GET", b"/held", b"a.test")
        await asyncio.to_thread(HELD.wait, PATIENCE)
        router.send_signal(signal.SIGTERM)
        GO.set()
        head, _ = await asyncio.wait_for(held, PATIENCE)
        check("what is under way at the stop is finished", head and head[b":status"] == b"200", head)
    check("the router ends", await asyncio.to_thread(router.wait, PATIENCE) == 0)
    refusals = [status for status in ("400", "431") if f'"- - HTTP/3.0" {status}' in log.read_text()]
    check("the access log has what the engine refused", refusals == ["400", "431"], log.read_text()[:4000])
    check("the access log says HTTP/3.0", '"GET / HTTP/3.0" 200' in log.read_text(), log.read_text()[:400])


def serving(static):
    """The process with these settings that has not handed over."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            if f"--configFile={static}" in words and Path(f"/proc/{pid}/comm").read_text().strip() != "handed-over":
                return int(pid)
        except OSError:
            pass
    raise SystemExit("no process serves")


async def upgrades(port, first, static):
    """Requests, one after the other, on connections that are left when GOAWAY says so; two requests last across several upgrades."""
    counts, is_over = [0, 0], asyncio.Event()

    async def load():
        while not is_over.is_set():
            async with client(port) as http3:
                counts[1] += 1
                while not http3.http.is_told_to_go and not is_over.is_set():
                    head, _ = await http3.ask()
                    assert head and head[b":status"] == b"200", head
                    counts[0] += 1
                    await asyncio.sleep(0.002)

    async def upgrade():
        command = (sys.argv[1], "upgrade", str(serving(static)))
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=90)
        check("an upgrade", done.returncode == 0, done.stderr)

    HELD.clear(), GO.clear()
    loads = [asyncio.create_task(load()) for _ in range(4)]
    async with client(port) as http3, client(port) as sending:
        await sending.ask()
        held = http3.begin(b"GET", b"/held", b"a.test")
        await asyncio.to_thread(HELD.wait, PATIENCE)
        stream = sending._quic.get_next_available_stream_id()
        done = asyncio.get_running_loop().create_future()
        sending.answers[stream] = [[], b"", done]
        sending.http.send_headers(stream, [(b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"a.test"), (b":path", b"/")])

        async def send():
            for number in range(100):
                sending.http.send_data(stream, bytes(20_000), end_stream=number == 99)
                sending.transmit()
                await asyncio.sleep(0.03)
        slow = asyncio.create_task(send())
        await upgrade()
        await asyncio.sleep(0.5)
        await upgrade()
        GO.set()
        head, _ = await asyncio.wait_for(held, PATIENCE)
        check("a request that lasts across two upgrades is answered", head and head[b":status"] == b"200", head)
        await slow
        head, text = await asyncio.wait_for(done, PATIENCE)
        check("a body of 2 MB comes whole across two upgrades", head and text.startswith(b"POST 2000000 "), (head, text))
    for _ in range(3):
        await asyncio.sleep(0.5)
        await upgrade()
    await asyncio.sleep(0.5)
    is_over.set()
    await asyncio.gather(*loads)
    check(f"5 upgrades, {counts[0]} requests over {counts[1]} connections, none failed", counts[1] >= 4 * 4, counts)
    pid = serving(static)
    os.kill(pid, signal.SIGTERM)
    check("the first process ends", await asyncio.to_thread(first.wait, PATIENCE) == 0)
    while os.path.exists(f"/proc/{pid}") and "State:\tZ" not in Path(f"/proc/{pid}/status").read_text():
        await asyncio.sleep(0.05)


def started(static, port):
    router = subprocess.Popen([sys.argv[1], f"--configFile={static}"])
    for _ in range(PATIENCE * 20):
        try:
            if over_h2(port).get(":status") == "200":
                break
        except OSError:
            pass
        threading.Event().wait(0.05)
    return router


def main():
    backend = Backend(("127.0.0.1", 0), Server)
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        files = {name: certificate(folder, name) for name in ("a.test", "b.test", "strict.test", "client")}
        certificates = "".join(f"    - {{certFile: {c}, keyFile: {k}}}\n" for c, k in list(files.values())[:3])
        log, dynamic = Path(folder, "access.log"), Path(folder, "dynamic.yml")
        dynamic.write_text(f"""
http:
  routers:
    a: {{rule: "Host(`a.test`) || Host(`b.test`)", service: s, tls: {{}}}}
    strict: {{rule: "Host(`strict.test`)", service: s, tls: {{options: strict}}}}
  services:
    s: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{backend.server_port}"}}]}}}}
tls:
  options:
    strict: {{clientAuth: {{caFiles: [{files["client"][0]}], clientAuthType: RequireAnyClientCert}}}}
  certificates:
{certificates}""")
        static = Path(folder, "traefik.yml")
        static.write_text(f"""
entryPoints: {{web: {{address: "127.0.0.1:{port}", http3: {{}}, transport: {{lifeCycle: {{graceTimeOut: 30s}}}}}}}}
providers: {{file: {{filename: {dynamic}}}}}
accessLog: {{filePath: {log}}}
""")
        for part in (lambda router: checks(port, files, router, log), lambda router: upgrades(port, router, static)):
            router = started(static, port)
            try:
                asyncio.run(part(router))
            finally:
                if router.poll() is None:
                    router.terminate()
                    router.wait(PATIENCE)
    print("HTTP/3: all passed")


main()
