// The frame: what leads where, light or dark, and one picture after another.

import { ask, begin, end, listen, news, onChange } from "./data";
import { here, link } from "./place";
import { Certificates } from "./pages/certificates";
import { Detail } from "./pages/detail";
import { Explain } from "./pages/explain";
import { kindsOf, Objects, PROTOCOLS } from "./pages/objects";
import { Overview } from "./pages/overview";
import { Problems } from "./pages/problems";
import { TailPage } from "./pages/tail";
import { Topology } from "./pages/topology";
import { Element_, h, mount } from "./view";

const ENTRIES: [path: string[], title: string][] = [
  [[], "Overview"],
  [["http", "routers"], "Routers"],
  [["http", "services"], "Services"],
  [["http", "middlewares"], "Middlewares"],
  [["certificates"], "Certificates"],
  [["topology"], "Topology"],
  [["explain"], "Explain"],
  [["tail"], "Live tail"],
  [["problems"], "Problems"],
];

const PAGES: Record<string, () => Element_> = {
  certificates: Certificates, topology: Topology, explain: Explain, tail: TailPage, problems: Problems,
};

/** The page at a place, with its title. */
function page(path: string[]): [string, () => Element_] {
  const [first, kind, name] = path;
  if (first === undefined) return ["Overview", Overview];
  if (PROTOCOLS.includes(first) && kindsOf(first).includes(kind)) {
    if (name !== undefined) return [name, () => <Detail protocol={first} kind={kind} name={name} />];
    return [`${first.toUpperCase()} ${kind}`, () => <Objects protocol={first} kind={kind} />];
  }
  const entry = ENTRIES.find(([to]) => to.length === 1 && to[0] === first);
  if (entry) return [entry[1], PAGES[first]];
  return ["Not here", () => <p class="note">There is no such page.</p>];
}

function isAt(entry: string[], path: string[]): boolean {
  // Routers of any protocol are at the entry of routers.
  return entry.length === 2 ? entry[1] === path[1] && PROTOCOLS.includes(path[0]) : entry[0] === path[0];
}

const THEMES = ["", "light", "dark"];

function theme(): string {
  return document.documentElement.dataset.theme ?? "";
}

function nextTheme(): void {
  const next = THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length];
  setTheme(next);
  draw();
}

function setTheme(name: string): void {
  if (name === "") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  try {
    localStorage.setItem("theme", name);
  } catch {
    // Not kept then.
  }
}

function Frame(): Element_ {
  const { path } = here();
  const [title, show] = page(path);
  const version = ask("version").data;
  const problems = ask<any[]>("problems").data?.filter((problem) => problem.severity === "error").length ?? 0;
  const name = version?.dashboardName || "TrafficCop";
  document.title = `${title} · ${name}`;
  return (
    <div class="frame">
      <a class="skip" href="#main" onclick={(event: any) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>To the content</a>
      <nav class="side" aria-label="Pages">
        <a class="brand" href={link()}>
          <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 1 3 5v6c0 5.5 3.8 10.7 9 12 5.2-1.3 9-6.500 9-12V5z" /><circle class="a" cx="12" cy="7" r="2" /><circle class="b" cx="12" cy="12" r="2" /><circle class="c" cx="12" cy="17" r="2" /></svg>
          <span>{name}</span>
        </a>
        <ul>
          {ENTRIES.map(([to, text]) => (
            <li>
              <a href={link(...to)} aria-current={isAt(to, path) ? "page" : null}>
                {text}
                {text === "Problems" && problems > 0 ? <span class="count">{String(problems)}<span class="hidden"> errors</span></span> : null}
              </a>
            </li>
          ))}
        </ul>
        <div class="foot">
          <span class={`status ${news.live ? "ok" : "warn"}`} role="status">{news.live ? "live" : "not connected"}</span>
          <button onclick={nextTheme} title="Light, dark, or as the system has it">{{ "": "Auto", light: "Light", dark: "Dark" }[theme()]}<span class="hidden"> theme</span></button>
        </div>
      </nav>
      <main id="main" tabindex="-1" key={path.join("/")}>
        <h1>{title}</h1>
        {show()}
      </main>
    </div>
  );
}

let show: (tree: Element_) => void;
let isDue = false;

function paint(): void {
  isDue = false;
  begin();
  show(<Frame />);
  end();
}

function draw(): void {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(paint);
}

function moved(): void {
  listen(here().path[0] === "tail");
  draw();
}

try {
  setTheme(localStorage.getItem("theme") ?? "");
} catch {
  // As the system has it.
}
show = mount(document.getElementById("app")!);
onChange(draw);
addEventListener("hashchange", moved);
moved();
