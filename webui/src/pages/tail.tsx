// The last requests, as they end.

import { ask, Line, news } from "../data";
import { here } from "../place";
import { bytes, Choice, Column, millis, Search, Table, Tag, Waiting } from "../parts";
import { Element_, h } from "../view";

/** Rows that are drawn. */
const MOST = 200;

const COLUMNS: Column<Line>[] = [
  { title: "Time", show: (line) => line.time.slice(11, 23) },
  { title: "Status", show: (line) => <span class={`status ${line.status >= 500 ? "bad" : line.status >= 400 ? "warn" : "ok"}`}>{line.status}</span> },
  { title: "Request", show: (line) => <code>{`${line.method} ${line.host}${line.path}`}</code>, kind: "code" },
  { title: "Took", show: (line) => millis(line.micros / 1000), kind: "number" },
  { title: "Sent", show: (line) => bytes(line.bytes), kind: "number" },
  { title: "Router", show: (line) => line.router || "–" },
  { title: "Server", show: (line) => line.server || (line.reason ? <Tag>{line.reason}</Tag> : "–") },
  { title: "Client", show: (line) => line.client },
];

function pause(): void {
  news.paused = !news.paused;
  dispatchEvent(new HashChangeEvent("hashchange"));
}

export function TailPage(): Element_ {
  const { query } = here();
  const features = ask("x/features");
  if (!features.data) return <Waiting answer={features} />;
  if (!features.data.tail) {
    return (
      <div class="note">
        <p>The live tail is off. To switch it on, say so in the static configuration:</p>
        <pre class="settings" tabindex="0">{"api:\n  liveTail:\n    size: 1000        # requests that are kept\n    sampleRate: 1.0   # share of requests that are kept"}</pre>
      </div>
    );
  }
  const [search, status] = [(query.get("search") ?? "").toLowerCase(), query.get("status") ?? ""];
  const wanted = news.lines.filter((line) =>
    (status === "" || String(line.status).startsWith(status)) &&
    (search === "" || `${line.method} ${line.host}${line.path} ${line.router} ${line.server} ${line.client} ${line.reason}`.toLowerCase().includes(search)));
  return (
    <div>
      <div class="tools">
        <Search label="Filter by any text" />
        <Choice label="Status" name="status" options={[["", "Any status"], ["2", "2xx"], ["3", "3xx"], ["4", "4xx"], ["5", "5xx"]]} />
        <button onclick={pause} aria-pressed={String(news.paused)}>{news.paused ? "Go on" : "Pause"}</button>
        <span class="note">{`${wanted.length} of ${news.lines.length} kept`}{news.passedOver > 0 ? `, ${news.passedOver.toLocaleString("en")} passed over` : ""}</span>
      </div>
      {wanted.length === 0 ? <p class="note">No request yet.</p> : (
        <Table caption="The last requests" columns={COLUMNS} rows={wanted.slice(0, MOST)} keyOf={(line) => String(line.number)} />
      )}
    </div>
  );
}
