// Lists of routers, services and middlewares; the API searches, sorts and pages.

import { ask } from "../data";
import { here, link } from "../place";
import { Choice, Column, Pager, Search, Status, Table, Tag, Waiting } from "../parts";
import { Element_, h } from "../view";

type Row = any;

export const PROTOCOLS = ["http", "tcp", "udp"];
const KINDS = ["routers", "services", "middlewares"];

export function kindsOf(protocol: string): string[] {
  return protocol === "udp" ? KINDS.slice(0, 2) : KINDS;
}

/** Our own routers stand above all that a user may write. */
function rank(priority: string): string {
  return priority.length > 15 ? "first" : priority;
}

/** How many servers are up, of how many. */
function servers(row: Row): Element_ | string {
  const states = Object.values(row.serverStatus ?? {});
  const all = row.loadBalancer?.servers?.length ?? states.length;
  const down = states.filter((state) => state === "DOWN").length;
  if (all === 0) return "–";
  return <span class={`status ${down === 0 ? "ok" : down < all ? "warn" : "bad"}`}>{`${all - down} of ${all} up`}</span>;
}

function columns(protocol: string, kind: string): Column<Row>[] {
  const status = { title: "Status", sort: "status", show: (row: Row) => <Status of={row.status} /> };
  const provider = { title: "Provider", sort: "provider", show: (row: Row) => row.provider };
  const name = { title: "Name", sort: "name", show: (row: Row) => <a href={link(protocol, kind, row.name)}>{row.name}</a> };
  const type = { title: "Type", sort: "type", show: (row: Row) => (row.type ? <Tag>{row.type}</Tag> : "–") };
  if (kind === "services") return [status, name, type, { title: "Servers", sort: "servers", show: servers }, provider];
  if (kind === "middlewares") {
    return [status, name, type, { title: "Used by", show: (row) => String(row.usedBy?.length ?? 0), kind: "number" }, provider];
  }
  const rule: Column<Row> = { title: "Rule", sort: "rule", show: (row) => <code>{row.rule ?? ""}</code>, kind: "code" };
  const priority: Column<Row> = { title: "Priority", sort: "priority", show: (row) => rank(row.priorityStr ?? ""), kind: "number" };
  const points: Column<Row> = {
    title: "Entry points",
    sort: "entryPoints",
    show: (row) => (row.using ?? row.entryPoints ?? []).map((point: string) => <Tag>{point}</Tag>),
  };
  const service: Column<Row> = { title: "Service", sort: "service", show: (row) => row.service };
  const tls: Column<Row> = { title: "TLS", show: (row) => (row.tls ? (row.tls.passthrough ? "passed on" : "yes") : "no") };
  if (protocol === "udp") return [status, name, points, service, provider];
  return [status, name, rule, points, tls, service, priority, provider];
}

export function Objects({ protocol, kind }: { protocol: string; kind: string }): Element_ {
  const { query } = here();
  const wanted = new URLSearchParams({ per_page: "50" });
  for (const name of ["search", "status", "sortBy", "direction", "page", "serviceName", "middlewareName"]) {
    const value = query.get(name);
    if (value) wanted.set(name, value);
  }
  const answer = ask<Row[]>(`${protocol}/${kind}?${wanted}`);
  return (
    <div>
      <nav class="tabs" aria-label="Protocols">
        {PROTOCOLS.filter((one) => kindsOf(one).includes(kind)).map((one) => (
          <a href={link(one, kind)} aria-current={one === protocol ? "page" : null}>{one.toUpperCase()}</a>
        ))}
      </nav>
      <div class="tools">
        <Search label={kind === "routers" ? "Search names and rules" : "Search names"} />
        <Choice label="Status" name="status" options={[["", "Any status"], ["enabled", "Ok"], ["warning", "Warning"], ["disabled", "Error"]]} />
        {query.get("serviceName") ? <Tag>{`service ${query.get("serviceName")}`}</Tag> : null}
        {query.get("middlewareName") ? <Tag>{`middleware ${query.get("middlewareName")}`}</Tag> : null}
      </div>
      {!answer.data ? <Waiting answer={answer} /> : answer.data.length === 0 ? <p class="note">Nothing here.</p> : (
        <Table caption={`${protocol} ${kind}`} columns={columns(protocol, kind)} rows={answer.data} keyOf={(row) => row.name} sorts />
      )}
      {answer.data ? <Pager next={answer.next ?? 1} /> : null}
    </div>
  );
}
