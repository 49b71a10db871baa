"""Real stores on ports of their own, and just enough of each one's protocol to write keys."""
import base64, http.client, json, os, shutil, signal, socket, struct, subprocess, tempfile, time
from pathlib import Path


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait(condition, what, seconds=10.0, step=0.002):
    end = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except OSError:
            pass
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(step)


class Store:
    """start, kill, pause, resume, cut and mend; put and delete keys."""
    folder = None
    process = None

    def __init__(self):
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"tc-{self.name}-"))

    def start(self):
        self.log = open(self.folder / "log", "a")
        self.process = subprocess.Popen(self.command(), stdout=self.log, stderr=self.log, cwd=self.folder,
                                        env={**os.environ, **getattr(self, "environment", {})}, start_new_session=True)
        wait(self.is_ready, f"{self.name} to start", 60, 0.02)

    def signal(self, number):
        os.killpg(self.process.pid, number)

    def kill(self):
        self.disconnect()
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.process.wait()

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def cut(self):
        self.disconnect()
        for end in ("--dport", "--sport"):
            subprocess.run(["iptables", "-w", "-I", "INPUT", "-i", "lo", "-p", "tcp", end, str(self.port), "-j", "DROP"], check=True)

    def mend(self):
        for end in ("--dport", "--sport"):
            subprocess.run(["iptables", "-w", "-D", "INPUT", "-i", "lo", "-p", "tcp", end, str(self.port), "-j", "DROP"], check=False,
                           stderr=subprocess.DEVNULL)

    def disconnect(self):
        pass

    def end(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def put_all(self, pairs):
        for key, value in pairs.items():
            self.put(key, value)


class Redis(Store):
    name = "redis"
    connection = None

    def command(self):
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--appendonly", "yes",
                "--appendfsync", "always", "--save", "", *getattr(self, "options", [])]

    def is_ready(self):
        return self.ask("PING") in ("PONG", "NOAUTH")

    def ask(self, *words):
        return self.ask_many([words])[0]

    def ask_many(self, commands):
        if self.connection is None:
            self.connection = socket.create_connection(("127.0.0.1", self.port), 5)
            self.file = self.connection.makefile("rb")
        out = b""
        for words in commands:
            out += b"*%d\r\n" % len(words)
            for word in words:
                word = word if isinstance(word, bytes) else str(word).encode()
                out += b"$%d\r\n%s\r\n" % (len(word), word)
        self.connection.sendall(out)
        return [self.answer() for _ in commands]

    def answer(self):
        line = self.file.readline()
        if not line:
            self.disconnect()
            raise OSError("closed")
        kind, rest = line[:1], line[1:].rstrip().decode()
        if kind == b"-":
            if rest.startswith(("LOADING", "MASTERDOWN")):
                raise OSError(rest)
            return rest.split()[0]
        if kind == b"$":
            return None if rest == "-1" else self.file.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return [self.answer() for _ in range(int(rest))]
        return rest

    def disconnect(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def put(self, key, value):
        assert self.ask("SET", key, value) == "OK"

    def put_all(self, pairs):
        items = list(pairs.items())
        for start in range(0, len(items), 2000):
            self.ask_many([("SET", key, value) for key, value in items[start:start + 2000]])

    def delete(self, key):
        self.ask("DEL", key)


class Etcd(Store):
    name = "etcd"

    def command(self):
        url, peer = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{free_port()}"
        self.peer = getattr(self, "peer", peer)
        return ["etcd", "--data-dir", str(self.folder / "data"), "--listen-client-urls", url, "--advertise-client-urls", url,
                "--listen-peer-urls", self.peer, "--initial-advertise-peer-urls", self.peer, "--initial-cluster", f"default={self.peer}"]

    def call(self, path, **body):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        c.request("POST", path, json.dumps(body))
        answer = c.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise OSError(f"{answer.status} {text[:200]}")
        return json.loads(text)

    def is_ready(self):
        return "header" in self.call("/v3/kv/range", key=base64.b64encode(b"x").decode())

    def put(self, key, value):
        self.call("/v3/kv/put", key=b64(key), value=b64(value))

    def put_all(self, pairs):
        items = list(pairs.items())
        for start in range(0, len(items), 100):
            self.call("/v3/kv/txn", success=[{"requestPut": {"key": b64(key), "value": b64(value)}}
                                             for key, value in items[start:start + 100]])

    def delete(self, key):
        self.call("/v3/kv/deleterange", key=b64(key))


def b64(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


class Consul(Store):
    name = "consul"

    def command(self):
        if not hasattr(self, "ports"):
            self.ports = {"http": self.port, "dns": -1, "grpc": -1, "server": free_port(), "serf_lan": free_port(), "serf_wan": free_port()}
            (self.folder / "c.json").write_text(json.dumps({"ports": self.ports, "limits": {"http_max_conns_per_client": 1000}}))
        return [consul(), "agent", "-server", "-bootstrap-expect=1", "-data-dir", str(self.folder / "data"), "-bind", "127.0.0.1", "-client",
                "127.0.0.1", "-node", "test", "-config-file", str(self.folder / "c.json"), "-log-level", "warn"]

    def call(self, method, path, body=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        c.request(method, path, body)
        answer = c.getresponse()
        text = answer.read().decode()
        if answer.status not in (200, 404):
            raise OSError(f"{answer.status} {text[:200]}")
        return text

    def is_ready(self):
        return self.call("PUT", "/v1/kv/ready", "x").strip() == "true"

    def put(self, key, value):
        self.call("PUT", f"/v1/kv/{key}", value)

    def put_all(self, pairs):
        items = list(pairs.items())
        for start in range(0, len(items), 60):
            operations = [{"KV": {"Verb": "set", "Key": key, "Value": b64(value)}} for key, value in items[start:start + 60]]
            self.call("PUT", "/v1/txn", json.dumps(operations))

    def delete(self, key):
        self.call("DELETE", f"/v1/kv/{key}")


def consul():
    """The command; installed by tests/providers/consul."""
    return subprocess.run([Path(__file__).with_name("consul")], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


class ZooKeeper(Store):
    name = "zookeeper"
    connection = None

    def command(self):
        config = self.folder / "zoo.cfg"
        config.write_text(f"tickTime=1000\ndataDir={self.folder}/data\nclientPort={self.port}\nclientPortAddress=127.0.0.1\n"
                          "admin.enableServer=false\nmaxClientCnxns=0\n4lw.commands.whitelist=*\n")
        jars = subprocess.run(["bash", "-c", ". /etc/zookeeper/conf/environment && echo $CLASSPATH"], stdout=subprocess.PIPE, text=True,
                              check=True).stdout.strip()
        return ["java", "-Xmx512m", "-cp", jars, "org.apache.zookeeper.server.quorum.QuorumPeerMain", str(config)]

    def is_ready(self):
        self.children("/")
        return True

    def connect(self):
        self.connection = socket.create_connection(("127.0.0.1", self.port), 5)
        self.connection.settimeout(10)
        self.number = 0
        self.frame(struct.pack(">iqiqi16xb", 0, 0, 30000, 0, 16, 0))
        self.read()

    def frame(self, body):
        self.connection.sendall(struct.pack(">i", len(body)) + body)

    def read(self):
        def exactly(count):
            got = b""
            while len(got) < count:
                piece = self.connection.recv(count - len(got))
                if not piece:
                    self.disconnect()
                    raise OSError("closed")
                got += piece
            return got
        return exactly(struct.unpack(">i", exactly(4))[0])

    def request(self, kind, body):
        self.number += 1
        self.frame(struct.pack(">ii", self.number, kind) + body)

    def answer(self):
        answer = self.read()
        return struct.unpack(">i", answer[12:16])[0], answer[16:]

    def ask(self, kind, body):
        if self.connection is None:
            self.connect()
        try:
            self.request(kind, body)
            return self.answer()
        except OSError:
            self.disconnect()
            raise

    def disconnect(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    @staticmethod
    def text(text):
        data = text if isinstance(text, bytes) else text.encode()
        return struct.pack(">i", len(data)) + data

    def creation(self, path, value):
        return self.text(path) + self.text(value) + struct.pack(">ii", 1, 31) + self.text("world") + self.text("anyone") + struct.pack(">i", 0)

    def children(self, path):
        error, body = self.ask(8, self.text(path) + b"\0")
        names, at = [], 4
        if error:
            return None
        for _ in range(struct.unpack(">i", body[:4])[0]):
            length = struct.unpack(">i", body[at:at + 4])[0]
            names.append(body[at + 4:at + 4 + length].decode())
            at += 4 + length
        return names

    def put(self, key, value):
        steps = key.strip("/").split("/")
        for depth in range(1, len(steps)):
            path = "/" + "/".join(steps[:depth])
            error, _ = self.ask(1, self.creation(path, ""))
            assert error in (0, -110), error
        path = "/" + "/".join(steps)
        error, _ = self.ask(1, self.creation(path, value))
        if error == -110:
            error, _ = self.ask(5, self.text(path) + self.text(value) + struct.pack(">i", -1))
        assert error == 0, error

    def put_all(self, pairs):
        if self.connection is None:
            self.connect()
        nodes, later = {}, []
        for key, value in pairs.items():
            steps = key.strip("/").split("/")
            for depth in range(1, len(steps)):
                nodes.setdefault("/" + "/".join(steps[:depth]), "")
            nodes["/" + "/".join(steps)] = value
        items = sorted(nodes.items(), key=lambda item: (item[0].count("/"), item[0]))
        for start in range(0, len(items), 200):
            for path, value in items[start:start + 200]:
                self.request(1, self.creation(path, value))
            for path, value in items[start:start + 200]:
                error, _ = self.answer()
                if error == -110 and value:
                    later.append((path, value))
        for start in range(0, len(later), 200):
            for path, value in later[start:start + 200]:
                self.request(5, self.text(path) + self.text(value) + struct.pack(">i", -1))
            for _ in later[start:start + 200]:
                assert self.answer()[0] == 0

    def delete(self, key):
        path = "/" + key.strip("/")
        while path.count("/") > 1:
            error, _ = self.ask(2, self.text(path) + struct.pack(">i", -1))
            if error not in (0, -101):
                return
            path = path.rsplit("/", 1)[0]
            if self.children(path):
                return


STORES = {store.name: store for store in (Redis, Etcd, Consul, ZooKeeper)}
