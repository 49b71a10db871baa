"""Drives the dashboard in Chromium; see run. Ends with 0 only if every check held."""

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

ROUTERS = 5000
PATIENCE = 20
binary, axe, pictures = sys.argv[1], Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""
failures = []


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

    def do_GET(self):
        self.send_response(500 if self.path.startswith("/broken") else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            pass


def configuration(folder, upstream, web, api, dead):
    (folder / "static.json").write_text(json.dumps({
        "api": {"insecure": True, "liveTail": {"size": 1000, "sampleRate": 1.0}},
        "accessLog": {"filePath": str(folder / "access.log")},
        "metrics": {"prometheus": {}},
        "ping": {},
        "entryPoints": {"web": {"address": f"127.0.0.1:{web}"}, "traefik": {"address": f"127.0.0.1:{api}"},
                        "websecure": {"address": f"127.0.0.1:{port()}"}, "db": {"address": f"127.0.0.1:{port()}"},
                        "dns": {"address": f"127.0.0.1:{port()}/udp"}},
        "providers": {"file": {"filename": str(folder / "dynamic.json")}},
    }))
    certificate, key = folder / "c.pem", folder / "k.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "20", "-subj", "/CN=shop.example", "-addext", "subjectAltName=DNS:shop.example,DNS:www.shop.example",
                    "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    up = {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{upstream}"}, {"url": f"http://127.0.0.1:{dead}"}],
                           "healthCheck": {"path": "/", "interval": "1s", "timeout": "1s"}}}
    routers = {f"r{number:04}": {"rule": f"Host(`host{number:04}.example`)", "service": "shop"} for number in range(ROUTERS)}
    routers |= {
        "shop": {"rule": "Host(`shop.example`) && PathPrefix(`/`)", "service": "shop", "middlewares": ["auth", "slim"], "tls": {}},
        "all": {"rule": "PathPrefix(`/`)", "service": "shop", "priority": 1},
        "typo": {"rule": "Hots(`typo.example`)", "service": "shop"},
        "lost": {"rule": "Host(`lost.example`)", "service": "shpo", "middlewares": ["nobody"]},
        # Answered by a middleware, so that no slow server bounds the load.
        "load": {"rule": "PathPrefix(`/load`)", "service": "shop", "priority": 9000, "middlewares": ["away"]},
        "split": {"rule": "Host(`split.example`)", "service": "canary"},
    }
    return {
        "http": {
            "routers": routers,
            "services": {"shop": up, "next": up, "canary": {"weighted": {"services": [{"name": "shop", "weight": 9}, {"name": "next", "weight": 1}]}}},
            "middlewares": {"auth": {"basicAuth": {"users": ["u:{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs="]}}, "slim": {"compress": {}},
                            "away": {"redirectRegex": {"regex": "^.*$", "replacement": "http://away.example/"}}},
        },
        "tcp": {"routers": {"db": {"rule": "HostSNI(`*`)", "service": "db", "entryPoints": ["db"]}},
                "services": {"db": {"loadBalancer": {"servers": [{"address": "127.0.0.1:5432"}]}}}},
        "udp": {"routers": {"dns": {"service": "dns", "entryPoints": ["dns"]}},
                "services": {"dns": {"loadBalancer": {"servers": [{"address": "127.0.0.1:5353"}]}}}},
        "tls": {"certificates": [{"certFile": str(certificate), "keyFile": str(key)}]},
    }


def until(what, probe, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if probe():
                return True
        except Exception:  # not there yet
            pass
        time.sleep(0.05)
    check(False, f"{what} within {seconds} s")
    return False


class Page:
    def __init__(self, address, width=1360, height=900, dark=False):
        options = webdriver.ChromeOptions()
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--window-size={width},{height}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        options.binary_location = "/usr/bin/chromium"
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.address = address
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        if width < 600:
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                        {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True})

    def open(self, place, expected):
        self.driver.get(f"{self.address}#/{place}")
        return self.sees(expected, place)

    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    def sees(self, expected, where=""):
        try:
            WebDriverWait(self.driver, PATIENCE, 0.05).until(lambda _: expected in self.text())
            return True
        except Exception:
            check(False, f"{expected!r} at {where or self.driver.current_url}; it shows {self.text()[:300]!r}")
            return False

    def picture(self, name):
        if pictures:
            Path(pictures).mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(f"{pictures}/{name}.png")

    def errors(self):
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def axe(self):
        self.driver.execute_script(axe.read_text())
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']}).then(r => done(r.violations), e => done([{id: String(e), nodes: []}]))")
        return [f"{one['id']}: {[node['html'][:120] + ' ' + node.get('failureSummary', '')[:200] for node in one['nodes'][:2]]}" for one in found]


def quiet(page, where):
    found = page.errors()
    check(not found, f"{where}: no error in the console {found or ''}")


PAGES = [
    ("", "Requests per second", "overview"),
    ("http/routers", "Page 1", "routers"),
    ("http/routers/shop%40file", "shop@file", "router"),
    ("http/routers/lost%40file", "does not exist", "router-broken"),
    ("tcp/routers", "db@file", "routers-tcp"),
    ("udp/routers", "dns@file", "routers-udp"),
    ("http/services", "canary@file", "services"),
    ("http/services/shop%40file", "down", "service"),
    ("http/middlewares", "auth@file", "middlewares"),
    ("certificates", "shop.example", "certificates"),
    ("topology?search=s", "shop@file", "topology"),
    ("explain?url=http%3A%2F%2Flost.example%2F", "lost@file", "explain"),
    ("tail", "Filter by any text", "tail"),
    ("problems", "did you mean", "problems"),
]


def pages(address):
    for name, width, height, dark in (("light", 1360, 900, False), ("dark", 1360, 900, True), ("phone", 390, 844, False)):
        page = Page(address, width, height, dark)
        try:
            for place, expected, what in PAGES:
                page.open(place, expected)
                page.picture(f"{name}-{what}")
                wide = page.driver.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
                check(wide <= 0, f"{name} {what}: nothing sticks out sideways ({wide})")
                if axe.exists():
                    found = page.axe()
                    check(not found, f"{name} {what}: axe finds nothing at WCAG AA {found or ''}")
            quiet(page, name)
        finally:
            page.driver.quit()


def flows(address, folder, document, web):
    page = Page(address)
    driver = page.driver
    try:
        page.open("", "Requests per second")
        paint = driver.execute_script("return performance.getEntriesByName('first-contentful-paint')[0].startTime")
        check(paint < 1000, f"first paint after {paint:.0f} ms with {ROUTERS} routers")
        page.sees("5,0")
        driver.execute_script("window.kept = document.querySelector('main')")

        document["http"]["routers"]["fresh"] = {"rule": "Host(`fresh.example`)", "service": "shop"}
        page.open("http/routers?search=fresh", "Nothing here.")
        driver.execute_script("window.stays = 1")
        (folder / "dynamic.json").write_text(json.dumps(document))
        page.sees("fresh@file")
        check(driver.execute_script("return window.stays") == 1, "a new router appears without a reload")

        search = driver.find_element(By.CSS_SELECTOR, "input[type=search]")
        search.send_keys(Keys.CONTROL, "a")
        search.send_keys("host4321")
        page.sees("r4321@file")
        check(driver.switch_to.active_element == search, "the field keeps the focus while one types")

        page.open("http/routers", "Page 1")
        driver.find_element(By.XPATH, "//button[text()='Next']").click()
        page.sees("Page 2")
        driver.back()
        page.sees("Page 1")
        driver.find_element(By.XPATH, "//th//button[contains(., 'Priority')]").click()
        until("sorted by priority", lambda: driver.find_element(By.CSS_SELECTOR, "th[aria-sort=ascending]").text.startswith("Priority"))

        page.open("explain", "Tell which request")
        field = driver.find_element(By.NAME, "url")
        field.send_keys(f"http://shop.example:{web}/x", Keys.ENTER)
        page.sees("it answers TLS only")
        check("all@file" in page.text(), "explain names the router that wins")

        driver.get("about:blank")
        page.open("", "Requests per second")
        body = driver.find_element(By.TAG_NAME, "body")
        body.send_keys(Keys.TAB)
        check(driver.switch_to.active_element.text == "To the content", "the first tab leads to the content")
        for _ in range(3):
            driver.switch_to.active_element.send_keys(Keys.TAB)
        driver.switch_to.active_element.send_keys(Keys.ENTER)
        page.sees("HTTP routers")

        button = driver.find_element(By.CSS_SELECTOR, ".foot button")
        button.click()
        button.click()
        until("the dark theme", lambda: driver.execute_script("return document.documentElement.dataset.theme") == "dark")
        quiet(page, "flows")
    finally:
        driver.quit()


def load(web, rate, seconds):
    """Sends about `rate` requests a second, from a few kept connections."""
    end = time.monotonic() + seconds

    def one(number):
        host = f"host{number:04}.example"
        request = f"GET /load?token=s3cret&n={number} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", web)) as connection:
            due = time.monotonic()
            while time.monotonic() < end:
                connection.sendall(request * 10)
                got = b""
                while got.count(b"HTTP/1.1 302") < 10:
                    part = connection.recv(65536)
                    if not part:
                        return
                    got += part
                due += 10 / (rate / 8)
                time.sleep(max(0, due - time.monotonic()))

    threads = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(8)]
    for thread in threads:
        thread.start()
    return threads


def tail(address, web, api):
    page = Page(address)
    try:
        page.open("tail", "Filter by any text")
        before = ended(api)
        began = time.monotonic()
        threads = load(web, 2000, 8)
        page.sees("/load?token=xxxx")
        check("s3cret" not in page.driver.page_source, "secrets in the query do not show")
        page.open("", "Requests per second")
        page.sees("9")
        page.open("tail", "Filter by any text")
        for thread in threads:
            thread.join()
        took = time.monotonic() - began
        rate = (ended(api) - before) / took
        page.picture("light-tail-load")
        search = page.driver.find_element(By.CSS_SELECTOR, "input[type=search]")
        search.send_keys("host0003")
        until("the filter", lambda: "host0004" not in page.text() and "host0003" in page.text())
        check(rate > 1000, f"the live tail kept up beside {rate:.0f} requests a second")
        quiet(page, "tail")
    finally:
        page.driver.quit()


def ended(api):
    with urllib.request.urlopen(f"http://127.0.0.1:{api}/api/x/traffic") as answer:
        return json.load(answer)["ended"]


def main():
    folder = Path(tempfile.mkdtemp(prefix="webui-"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    web, api, dead = port(), port(), port()
    document = configuration(folder, server.server_address[1], web, api, dead)
    (folder / "dynamic.json").write_text(json.dumps(document))
    log = open(folder / "log", "wb")
    router = subprocess.Popen([binary, f"--configFile={folder}/static.json"], stdout=log, stderr=log)
    try:
        def is_there():
            with urllib.request.urlopen(f"http://127.0.0.1:{api}/api/overview") as answer:
                return json.load(answer)["http"]["routers"]["total"] > ROUTERS
        if not until("the router is there with its routers", is_there, 60):
            print((folder / "log").read_text()[-2000:])
            return 1
        if not axe.exists():
            print("axe could not be had: accessibility is not checked", flush=True)
        address = f"http://127.0.0.1:{api}/dashboard/"
        flows(address, folder, document, web)
        tail(address, web, api)
        pages(address)
        # Whoever listens does not hold up the end.
        listener = urllib.request.urlopen(f"http://127.0.0.1:{api}/api/x/events")
        began = time.monotonic()
        router.send_signal(signal.SIGTERM)
        router.wait(30)
        check(time.monotonic() - began < 5, f"it stops while somebody listens, after {time.monotonic() - began:.1f} s")
        listener.close()
    finally:
        if router.poll() is None:
            router.kill()
    print("\n".join([f"{len(failures)} failed", *[f"failed: {it}" for it in failures]]) if failures else "the dashboard is as it should be")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
