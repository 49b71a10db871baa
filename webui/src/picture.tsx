// Topology as a picture: entry point → router → middlewares → service → servers, in columns joined by lines.

import { ask } from "./data";
import { link } from "./place";
import { Element_, h } from "./view";

interface Box { id: string; title: string; note?: string; tone?: string; to?: string }
/** Columns from left to right; each box of a column is joined with each of the next. */
export type Way = Box[][];

const WIDTH = 180;
const HEIGHT = 44;
const [GAP_X, GAP_Y] = [28, 14];
const TONES: Record<string, string> = { enabled: "ok", warning: "warn", disabled: "bad", UP: "ok", DOWN: "bad" };
/** Servers of one service that are drawn. */
const MOST = 8;

function qualified(name: string, owner: string): string {
  return name.includes("@") ? name : `${name}@${owner.split("@")[1] ?? ""}`;
}

/** What a service comes to: itself, and its servers or the services behind it. */
function behind(protocol: string, name: string): [Box, Box[]] {
  const row = ask(`${protocol}/services/${encodeURIComponent(name)}`).data;
  const to = link(protocol, "services", name);
  if (!row) return [{ id: `s:${name}`, title: name, to }, []];
  const states: Record<string, string> = row.serverStatus ?? {};
  const listed: any[] = row.loadBalancer?.servers ?? [];
  const servers = listed.map((one) => one.url ?? one.address).map((server: string): Box => ({
    id: `v:${server}`, title: server, note: (states[server] ?? "").toLowerCase(), tone: TONES[states[server] ?? ""],
  }));
  const parts: any[] = row.weighted?.services ?? row.highestRandomWeight?.services ?? [];
  const named = [...parts, ...(row.mirroring ? [{ name: row.mirroring.service }] : []),
    ...(row.failover ? [{ name: row.failover.service }, { name: row.failover.fallback }] : [])];
  for (const part of named) {
    const full = qualified(part.name, name);
    servers.push({ id: `s:${full}`, title: full, note: part.weight === undefined ? "" : `weight ${part.weight}`, to: link(protocol, "services", full) });
  }
  const rest = servers.length - MOST;
  const shown = rest > 0 ? [...servers.slice(0, MOST), { id: `more:${name}`, title: `and ${rest} more` }] : servers;
  return [{ id: `s:${name}`, title: name, note: row.type, tone: TONES[row.status], to }, shown];
}

/** The way that a router of the API's answer stands for. */
export function pathOf(protocol: string, router: any): Way {
  const points: string[] = router.using?.length ? router.using : router.entryPoints ?? [];
  const way: Way = [points.map((point) => ({ id: `e:${point}`, title: point, note: router.tls ? "TLS" : "" }))];
  way.push([{ id: `r:${router.name}`, title: router.name, note: router.rule, tone: TONES[router.status], to: link(protocol, "routers", router.name) }]);
  for (const middleware of router.middlewares ?? []) {
    const name = qualified(middleware, router.name);
    way.push([{ id: `m:${name}`, title: name, note: "middleware", to: link(protocol, "middlewares", name) }]);
  }
  if (router.service && router.status === "disabled") {
    // What it names may not exist; asking for it would be an error of its own.
    const name = qualified(router.service, router.name);
    way.push([{ id: `s:${name}`, title: name, note: "not reached" }]);
  } else if (router.service) {
    const [service, servers] = behind(protocol, qualified(router.service, router.name));
    way.push([service]);
    if (servers.length > 0) way.push(servers);
  }
  return way.filter((column) => column.length > 0);
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function Drawn({ box, x, y }: { box: Box; x: number; y: number }): Element_ {
  const inside = (
    <g class={`box ${box.tone ?? ""}`} transform={`translate(${x} ${y})`}>
      <title>{box.note ? `${box.title}: ${box.note}` : box.title}</title>
      <rect width={WIDTH} height={HEIGHT} rx={7} />
      <text x={12} y={box.note ? 18 : 27}>{cut(box.title, 23)}</text>
      {box.note ? <text class="note" x={12} y={34}>{cut(box.note, 27)}</text> : null}
    </g>
  );
  return box.to ? <a href={box.to} key={`${box.id}:${y}`}>{inside}</a> : inside;
}

/** Ways below each other; the boxes of one column share their height. */
export function Picture({ ways }: { ways: Way[] }): Element_ {
  const lines: Element_[] = [];
  const boxes: Element_[] = [];
  let top = 2;
  let widest = 1;
  for (const way of ways) {
    const tallest = Math.max(...way.map((column) => column.length), 1);
    const high = tallest * HEIGHT + (tallest - 1) * GAP_Y;
    const place = (column: number, at: number): [number, number] => {
      const own = way[column].length * HEIGHT + (way[column].length - 1) * GAP_Y;
      return [2 + column * (WIDTH + GAP_X), top + (high - own) / 2 + at * (HEIGHT + GAP_Y)];
    };
    way.forEach((column, number) => column.forEach((box, at) => {
      const [x, y] = place(number, at);
      boxes.push(<Drawn box={box} x={x} y={y} />);
      way[number + 1]?.forEach((_, next) => {
        const [toX, toY] = place(number + 1, next);
        const [fromX, fromY, bend] = [x + WIDTH, y + HEIGHT / 2, GAP_X / 2];
        lines.push(<path class="way" d={`M${fromX} ${fromY} C${fromX + bend} ${fromY} ${toX - bend} ${toY + HEIGHT / 2} ${toX} ${toY + HEIGHT / 2}`} />);
      });
    }));
    widest = Math.max(widest, way.length);
    top += high + 2 * GAP_Y;
  }
  const width = widest * (WIDTH + GAP_X) - GAP_X + 4;
  return (
    <div class="scroll picture" tabindex="0" role="region" aria-label="Picture of the way of requests">
      <svg width={width} height={Math.max(top - GAP_Y, HEIGHT)} viewBox={`0 0 ${width} ${Math.max(top - GAP_Y, HEIGHT)}`} role="group">
        {lines}
        {boxes}
      </svg>
    </div>
  );
}
