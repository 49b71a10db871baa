// One router, service or middleware: what it is made of, what it leads to, who uses it, and what is wrong with it.

import { act, ask } from "../data";
import { link } from "../place";
import { Card, Settings, Status, Tag, Waiting } from "../parts";
import { Picture, pathOf } from "../picture";
import { Element_, h } from "../view";

/** What everything shows in a way of its own. */
const SHOWN = new Set(["name", "provider", "status", "type", "error", "using", "usedBy", "serverStatus", "priorityStr"]);

let outcome = "";

function Servers({ protocol, row }: { protocol: string; row: any }): Element_ {
  const writes = ask("x/features").data?.writes ? ask("x/servers").data : undefined;
  const states: [string, string][] = Object.entries(row.serverStatus ?? {});
  const known = states.length > 0 ? states : (row.loadBalancer?.servers ?? []).map((one: any) => [one.url ?? one.address, ""]);
  const drained: string[] = writes?.drained?.[row.name] ?? [];
  const change = async (server: string, what: string) => {
    const token = sessionStorage.getItem("token") ?? prompt("Token for changes") ?? "";
    if (!token) return;
    outcome = await act(`x/services/${encodeURIComponent(row.name)}/${what}?server=${encodeURIComponent(server)}`, token);
    if (outcome === "") sessionStorage.setItem("token", token);
    else sessionStorage.removeItem("token");
  };
  return (
    <Card title="Servers">
      {outcome ? <p class="note bad" role="alert">{outcome}</p> : null}
      <ul class="plain">
        {known.map(([server, state]: [string, string]) => (
          <li key={server}>
            <code>{server}</code>
            {state ? <Status of={state} /> : null}
            {drained.includes(server) ? <span class="status warn">drained</span> : null}
            {writes && protocol === "http" ? (
              drained.includes(server)
                ? <button onclick={() => change(server, "enable")}>Enable</button>
                : <button onclick={() => change(server, "drain")}>Drain</button>
            ) : null}
          </li>
        ))}
      </ul>
    </Card>
  );
}

export function Detail({ protocol, kind, name }: { protocol: string; kind: string; name: string }): Element_ {
  const answer = ask(`${protocol}/${kind}/${encodeURIComponent(name)}`);
  const row = answer.data;
  if (!row) return <Waiting answer={answer} />;
  const settings = Object.fromEntries(Object.entries(row).filter(([field]) => !SHOWN.has(field)));
  const users: string[] = row.usedBy ?? [];
  return (
    <div class="cards">
      <header class="wide head">
        <Status of={row.status} />
        {row.type ? <Tag>{row.type}</Tag> : null}
        <Tag>{row.provider}</Tag>
      </header>
      {row.error?.length > 0 ? (
        <Card title="What is wrong" wide>
          <ul class="plain">{row.error.map((text: string) => <li class="bad">{text}</li>)}</ul>
        </Card>
      ) : null}
      {kind === "routers" ? <Card title="The way of a request" wide><Picture ways={[pathOf(protocol, row)]} /></Card> : null}
      {kind === "services" && (row.serverStatus || row.loadBalancer) ? <Servers protocol={protocol} row={row} /> : null}
      {users.length > 0 ? (
        <Card title="Used by">
          <ul class="plain">
            {users.map((user) => <li key={user}><a href={link(protocol, "routers", user)}>{user}</a></li>)}
          </ul>
        </Card>
      ) : null}
      <Card title="Settings" wide><Settings of={settings} /></Card>
    </div>
  );
}
