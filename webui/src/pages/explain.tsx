// What a request would meet, and why.

import { ask } from "../data";
import { here, link, turn } from "../place";
import { Card, Waiting } from "../parts";
import { Element_, h } from "../view";

const FIELDS: [name: string, label: string, hint: string][] = [
  ["url", "URL", "https://a.example/path"],
  ["method", "Method", "GET"],
  ["client-ip", "Client address", "127.0.0.1"],
  ["header", "Header", "X-Name: value"],
  ["sni", "Server name (SNI)", "a.example"],
  ["entry-point", "Entry point", "by the port"],
];

function ask_(event: any): void {
  event.preventDefault();
  const form = new FormData(event.target);
  turn(Object.fromEntries(FIELDS.map(([name]) => [name, String(form.get(name) ?? "").trim()])));
}

function Answered({ query }: { query: string }): Element_ {
  const answer = ask(`x/explain?${query}`);
  const data = answer.data;
  if (!data) return <Waiting answer={answer} />;
  const winner = data.winner;
  return (
    <div class="cards">
      <Card title={winner ? "It is served by" : "Nobody serves it"} wide>
        {winner ? (
          <dl class="pairs">
            <div><dt>Entry point</dt><dd>{data.entryPoint ?? "–"}</dd></div>
            {data.tlsOptions ? <div><dt>TLS options</dt><dd>{data.tlsOptions}</dd></div> : null}
            <div><dt>Router</dt><dd><a href={link("http", "routers", winner.router)}>{winner.router}</a></dd></div>
            <div><dt>Rule</dt><dd><code>{winner.rule}</code></dd></div>
            <div><dt>Priority</dt><dd>{`${winner.priority}: ${winner.why}`}</dd></div>
            {winner.children.map((child: string) => <div><dt>Below it</dt><dd>{child}</dd></div>)}
            {winner.middlewares.map((one: string) => <div><dt>Middleware</dt><dd>{one}</dd></div>)}
            {winner.service.map((one: string) => <div><dt>Service</dt><dd class="kept">{one}</dd></div>)}
          </dl>
        ) : <p class="note">{data.entryPoint ? `It arrives at ${data.entryPoint}.` : "No entry point would take it."}</p>}
      </Card>
      {data.causes.length > 0 ? (
        <Card title="Causes" wide><ul class="plain">{data.causes.map((cause: string) => <li class="bad">{cause}</li>)}</ul></Card>
      ) : null}
      {data.others.length > 0 ? (
        <Card title="Why not another" wide>
          <dl class="pairs">
            {data.others.map((other: any) => (
              <div><dt>{other.router ? <a href={link("http", "routers", other.router)}>{other.router}</a> : "Hint"}</dt><dd>{other.why}</dd></div>
            ))}
          </dl>
        </Card>
      ) : null}
    </div>
  );
}

export function Explain(): Element_ {
  const { query } = here();
  return (
    <div>
      <form class="form" onsubmit={ask_}>
        {FIELDS.map(([name, label, hint]) => (
          <label class={`field ${name}`}>
            <span>{label}</span>
            <input name={name} key={query.get(name) ?? ""} value={query.get(name) ?? ""} placeholder={hint} required={name === "url"} autocomplete="off" spellcheck="false" />
          </label>
        ))}
        <button class="main">Explain</button>
      </form>
      {query.get("url") ? <Answered query={query.toString()} /> : <p class="note">Tell which request you mean; it is looked up in the configuration in force, and not sent.</p>}
    </div>
  );
}
