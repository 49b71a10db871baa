// What the page knows: answers of the API, kept while something shows them, and news that come by themselves.

export interface Answer<T = any> {
  data?: T;
  error?: string;
  next?: number;
}

export interface Traffic {
  requests: number;
  ended: number;
  inFlight: number;
  statuses: number[];
  durations: number[];
  bounds: number[];
  bytesIn: number;
  bytesOut: number;
  reasons: Record<string, number>;
}

/** One second of traffic. */
export interface Second {
  rate: number;
  errors: number;
  median: number;
  slow: number;
  out: number;
}

export interface Line {
  number: number;
  time: string;
  client: string;
  entryPoint: string;
  method: string;
  host: string;
  path: string;
  status: number;
  micros: number;
  bytes: number;
  router: string;
  service: string;
  server: string;
  reason: string;
  complete: boolean;
}

/** Where the API is: beside the dashboard, wherever a proxy before us put both; else where the server says. */
const API = (() => {
  const beside = location.pathname.match(/^(.*)\/dashboard\/?$/);
  const told = document.querySelector<HTMLMetaElement>("meta[name=api]")?.content ?? "/api/";
  return beside ? `${beside[1]}/api/` : told;
})();

const answers = new Map<string, Answer>();
let shown = new Set<string>();
let last = new Set<string>();
let changed: () => void = () => {};

export const news = {
  /** Whether news arrive. */
  live: false,
  traffic: undefined as Traffic | undefined,
  seconds: [] as Second[],
  lines: [] as Line[],
  passedOver: 0,
  paused: false,
};

const SECONDS = 120;
const LINES = 1000;

export function onChange(tell: () => void): void {
  changed = tell;
}

/** Begins a new picture: what it asks for is what is kept fresh. */
export function begin(): void {
  last = shown;
  shown = new Set();
}

/** Forgets what neither this picture nor the last one shows. */
export function end(): void {
  for (const path of answers.keys()) if (!shown.has(path) && !last.has(path)) answers.delete(path);
}

/** The answer to a path below the API, as far as it is known; it is asked for when it is not. */
export function ask<T = any>(path: string): Answer<T> {
  shown.add(path);
  const known = answers.get(path);
  if (known) return known as Answer<T>;
  const empty: Answer<T> = {};
  answers.set(path, empty);
  void fetchInto(path);
  return empty;
}

/** A sentence that the API gave, or what its status means. */
async function problem(response: Response): Promise<string> {
  const text = await response.text();
  try {
    return JSON.parse(text).message ?? text;
  } catch {
    return text.trim() || `The API answered ${response.status}.`;
  }
}

async function fetchInto(path: string): Promise<void> {
  let answer: Answer;
  try {
    const response = await fetch(API + path, { headers: { Accept: "application/json" } });
    if (response.ok) {
      answer = { data: await response.json(), next: Number(response.headers.get("X-Next-Page") ?? 1) };
    } else {
      answer = { error: await problem(response) };
    }
  } catch {
    answer = { ...answers.get(path), error: "The API cannot be reached." };
  }
  answers.set(path, answer);
  changed();
}

export function refresh(): void {
  for (const path of shown) void fetchInto(path);
}

/** Calls something that changes the router; the answer says what became of it. */
export async function act(path: string, token: string): Promise<string> {
  const headers = { Authorization: `Bearer ${token}`, "X-TrafficCop-Action": "1" };
  const response = await fetch(API + path, { method: "POST", headers }).catch(() => undefined);
  refresh();
  if (!response) return "The API cannot be reached.";
  return response.ok ? "" : problem(response);
}

/** The duration below which that share of requests stayed, in milliseconds. */
function quantile(share: number, counts: number[], bounds: number[]): number {
  const all = counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (let at = 0; at < counts.length; at++) {
    below += counts[at];
    if (all > 0 && below >= share * all) return (bounds[at] ?? bounds[bounds.length - 1] * 2) / 1000;
  }
  return 0;
}

function count(traffic: Traffic, elapsed: number): void {
  const before = news.traffic;
  news.traffic = traffic;
  // A router that was started anew counts from zero.
  if (!before || traffic.ended < before.ended || elapsed <= 0) return;
  const durations = traffic.durations.map((number, at) => number - before.durations[at]);
  news.seconds.push({
    rate: (traffic.ended - before.ended) / elapsed,
    errors: (traffic.statuses[5] - before.statuses[5]) / elapsed,
    median: quantile(0.5, durations, traffic.bounds),
    slow: quantile(0.99, durations, traffic.bounds),
    out: (traffic.bytesOut - before.bytesOut) / elapsed,
  });
  if (news.seconds.length > SECONDS) news.seconds.shift();
}

let source: EventSource | undefined;
let listensToTail = false;

/** Listens to news; `tail` when requests are wanted as well. */
export function listen(tail: boolean): void {
  if (source && tail === listensToTail) return;
  source?.close();
  listensToTail = tail;
  let before = 0;
  let ticks = 0;
  source = new EventSource(`${API}x/events${tail ? "?tail=1" : ""}`);
  source.onopen = () => ((news.live = true), changed());
  source.onerror = () => ((news.live = false), changed());
  source.addEventListener("traffic", (event) => {
    const now = performance.now();
    count(JSON.parse((event as MessageEvent).data), before ? (now - before) / 1000 : 0);
    before = now;
    // The health of servers changes without a new configuration.
    if (++ticks % 5 === 0 && !document.hidden) refresh();
    changed();
  });
  source.addEventListener("config", () => refresh());
  source.addEventListener("tail", (event) => {
    if (news.paused) return;
    const told = JSON.parse((event as MessageEvent).data);
    news.passedOver += told.passedOver;
    const newest = news.lines[0]?.number ?? 0;
    const fresh = (told.lines as Line[]).filter((line) => line.number > newest || line.number < newest - LINES * 100);
    news.lines = [...fresh.reverse(), ...news.lines].slice(0, LINES);
    changed();
  });
}
