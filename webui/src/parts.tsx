// Parts that pages are made of.

import { Answer } from "./data";
import { here, turn } from "./place";
import { Child, Element_, h } from "./view";

const WORDS: Record<string, string> = {
  enabled: "ok", warning: "warning", disabled: "error", expired: "expired", UP: "up", DOWN: "down", error: "error",
};
const TONES: Record<string, string> = {
  enabled: "ok", warning: "warn", disabled: "bad", expired: "bad", UP: "ok", DOWN: "bad", error: "bad",
};

export function Status({ of }: { of: string }): Element_ {
  return <span class={`status ${TONES[of] ?? ""}`}>{WORDS[of] ?? of}</span>;
}

export function Tag({ children }: { children?: Child }): Element_ {
  return <span class="tag">{children}</span>;
}

export function Card({ title, children, wide }: { title: string; children?: Child; wide?: boolean }): Element_ {
  return (
    <section class={wide ? "card wide" : "card"} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** What stands where an answer is not there yet, or never will be. */
export function Waiting({ answer }: { answer: Answer }): Element_ {
  if (answer.error) return <p class="note bad" role="alert">{answer.error}</p>;
  return <p class="note" role="status">Loading…</p>;
}

export interface Column<T> {
  title: string;
  /** The name by which the API sorts; none: it does not. */
  sort?: string;
  show: (row: T) => Child;
  kind?: "number" | "code";
}

/** Rows as a table; on narrow screens as cards. A click on a title sorts. */
export function Table<T>(props: { caption: string; columns: Column<T>[]; rows: T[]; keyOf: (row: T) => string; sorts?: boolean }): Element_ {
  const { query } = here();
  const [by, down] = [query.get("sortBy"), query.get("direction") === "desc"];
  const sorted = (column: Column<T>) => props.sorts && column.sort === by;
  return (
    <div class="scroll">
      <table>
        <caption class="hidden">{props.caption}</caption>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th scope="col" class={column.kind} aria-sort={sorted(column) ? (down ? "descending" : "ascending") : null}>
                {props.sorts && column.sort
                  ? <button class="sort" onclick={() => turn({ sortBy: column.sort!, direction: sorted(column) && !down ? "desc" : "asc", page: "" })}>
                      {column.title}
                      <span aria-hidden="true">{sorted(column) ? (down ? " ↓" : " ↑") : ""}</span>
                    </button>
                  : column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row) => (
            <tr key={props.keyOf(row)}>
              {props.columns.map((column) => <td class={column.kind} data-title={column.title}><div>{column.show(row)}</div></td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A field whose text is part of the address. */
export function Search({ label, name = "search" }: { label: string; name?: string }): Element_ {
  return (
    <label class="field">
      <span class="hidden">{label}</span>
      <input type="search" placeholder={label} value={here().query.get(name) ?? ""} autocomplete="off" spellcheck="false"
        oninput={(event: any) => turn({ [name]: event.target.value, page: "" }, true)} />
    </label>
  );
}

export function Choice({ label, name, options }: { label: string; name: string; options: [string, string][] }): Element_ {
  return (
    <label class="field">
      <span class="hidden">{label}</span>
      <select value={here().query.get(name) ?? ""} onchange={(event: any) => turn({ [name]: event.target.value, page: "" }, true)}>
        {options.map(([value, text]) => <option value={value}>{text}</option>)}
      </select>
    </label>
  );
}

/** From page to page. `next` is 1 on the last one. */
export function Pager({ next }: { next: number }): Element_ {
  const page = Number(here().query.get("page") ?? 1);
  if (page === 1 && next === 1) return <span />;
  return (
    <nav class="pager" aria-label="Pages">
      <button disabled={page === 1} onclick={() => turn({ page: page > 2 ? page - 1 : "" })}>Previous</button>
      <span>Page {page}</span>
      <button disabled={next === 1} onclick={() => turn({ page: next })}>Next</button>
    </nav>
  );
}

export function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : String(Math.round(value * 10) / 10);
}

export function bytes(value: number): string {
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (value < 1000) return `${number(value)} ${unit}`;
    value /= 1000;
  }
  return `${number(value)} TB`;
}

export function millis(value: number): string {
  return value < 1 ? `${Math.round(value * 1000)} µs` : value < 1000 ? `${number(value)} ms` : `${number(value / 1000)} s`;
}

/** Settings as their source would write them, near enough to be recognised. */
export function Settings({ of }: { of: unknown }): Element_ {
  return <pre class="settings" tabindex="0">{JSON.stringify(of, null, 2)}</pre>;
}
