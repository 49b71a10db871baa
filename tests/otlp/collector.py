"""A collector: takes OTLP over HTTP and gRPC, and keeps what it got as plain data."""

import gzip
import http.server
import threading
from concurrent import futures

import grpc
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

KINDS = {
    "/v1/traces": traces.ExportTraceServiceRequest,
    "/v1/metrics": metrics.ExportMetricsServiceRequest,
    "/v1/logs": logs.ExportLogsServiceRequest,
}
SERVICES = {
    "opentelemetry.proto.collector.trace.v1.TraceService": (traces.ExportTraceServiceRequest, traces.ExportTraceServiceResponse),
    "opentelemetry.proto.collector.metrics.v1.MetricsService": (metrics.ExportMetricsServiceRequest, metrics.ExportMetricsServiceResponse),
    "opentelemetry.proto.collector.logs.v1.LogsService": (logs.ExportLogsServiceRequest, logs.ExportLogsServiceResponse),
}


def value(any_value):
    if not any_value:
        return None
    ((kind, inner),) = any_value.items()
    if kind == "arrayValue":
        return [value(one) for one in inner.get("values", [])]
    return int(inner) if kind == "intValue" else inner


def attributes(listed):
    return {one["key"]: value(one.get("value")) for one in listed}


class Collector:
    def __init__(self):
        self.lock = threading.Lock()
        self.spans, self.metrics, self.lines, self.resources, self.headers = [], {}, [], {}, {}
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                if self.headers.get("Transfer-Encoding"):
                    body = b""
                    while size := int(self.rfile.readline().strip(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                message = KINDS[self.path]()
                message.ParseFromString(body)
                collector.take(message, dict(self.headers))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.http_port = self.http.server_address[1]
        self.grpc = grpc.server(futures.ThreadPoolExecutor(4))
        for name, (request, response) in SERVICES.items():
            def export(message, context, response=response):
                collector.take(message, dict(context.invocation_metadata()))
                return response()
            handler = grpc.unary_unary_rpc_method_handler(
                export, request_deserializer=request.FromString, response_serializer=response.SerializeToString)
            self.grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"Export": handler}),))
        self.grpc_port = self.grpc.add_insecure_port("127.0.0.1:0")
        self.grpc.start()

    def take(self, message, headers):
        body = MessageToDict(message)
        with self.lock:
            for one in body.get("resourceSpans", []):
                self.resources["traces"], self.headers["traces"] = attributes(one["resource"]["attributes"]), headers
                for scope in one["scopeSpans"]:
                    self.spans += [dict(span, attributes=attributes(span.get("attributes", [])), scope=scope["scope"]) for span in scope["spans"]]
            for one in body.get("resourceMetrics", []):
                self.resources["metrics"] = attributes(one["resource"]["attributes"])
                for scope in one["scopeMetrics"]:
                    for metric in scope["metrics"]:
                        (kind,) = [kind for kind in ("sum", "gauge", "histogram") if kind in metric]
                        points = [(attributes(point.get("attributes", [])), point) for point in metric[kind].get("dataPoints", [])]
                        self.metrics[metric["name"]] = (kind, metric.get("unit"), {k: v for k, v in metric[kind].items() if k != "dataPoints"}, points)
            for one in body.get("resourceLogs", []):
                self.resources["logs"] = attributes(one["resource"]["attributes"])
                for scope in one["scopeLogs"]:
                    self.lines += [dict(line, attributes=attributes(line.get("attributes", []))) for line in scope["logRecords"]]

    def stop(self):
        self.http.shutdown()
        self.grpc.stop(None)
