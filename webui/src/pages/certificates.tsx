// Certificates: for whom, from whom, and for how long.

import { ask } from "../data";
import { here } from "../place";
import { Choice, Column, Pager, Search, Status, Table, Tag, Waiting } from "../parts";
import { Element_, h } from "../view";

const DAY = 24 * 3600 * 1000;

function left(row: any): string {
  const days = Math.floor((Date.parse(row.notAfter) - Date.now()) / DAY);
  const date = new Date(row.notAfter).toISOString().slice(0, 10);
  return days < 0 ? `${date}, ended` : `${date}, in ${days} days`;
}

const COLUMNS: Column<any>[] = [
  { title: "Status", sort: "status", show: (row) => <Status of={row.status} /> },
  { title: "Name", sort: "cn", show: (row) => row.commonName || row.sans?.[0] || row.serialNumber },
  { title: "Also for", show: (row) => (row.sans ?? []).slice(0, 6).map((name: string) => <Tag>{name}</Tag>) },
  { title: "Issuer", sort: "issuer", show: (row) => row.issuerOrg || row.issuerCN || "–" },
  { title: "Valid until", sort: "validUntil", show: left },
  { title: "Key", show: (row) => `${row.keyType} ${row.keySize ?? ""}` },
  { title: "Fingerprint", show: (row) => <code title={row.certFingerprint}>{row.certFingerprint.slice(0, 16)}</code>, kind: "code" },
];

const STATES: Record<string, [string, string]> = {
  ordering: ["enabled", "being ordered"], failed: ["disabled", "failed"], limited: ["warning", "limited by the authority"],
};

const ORDERS: Column<any>[] = [
  { title: "State", show: (row) => <span><Status of={STATES[row.state]?.[0] ?? "warning"} /> {STATES[row.state]?.[1] ?? row.state}</span> },
  { title: "For", show: (row) => row.names.map((name: string) => <Tag>{name}</Tag>) },
  { title: "Resolver", show: (row) => row.resolver },
  { title: "Attempts", show: (row) => row.failures || "–" },
  { title: "Next attempt", show: (row) => row.next ? new Date(row.next).toISOString().slice(0, 16).replace("T", " ") : "–" },
  { title: "Why", show: (row) => row.error ?? "" },
];

/** What is not there yet; nothing where nothing is ordered. */
function Orders(): Element_ | null {
  const answer = ask<any[]>("x/orders");
  if (!answer.data?.length) return null;
  return (
    <section>
      <h2>Orders</h2>
      <Table caption="Orders of certificates" columns={ORDERS} rows={answer.data} keyOf={(row) => `${row.resolver} ${row.names}`} />
    </section>
  );
}

export function Certificates(): Element_ {
  const { query } = here();
  const wanted = new URLSearchParams({ per_page: "50" });
  for (const name of ["search", "status", "sortBy", "direction", "page"]) {
    const value = query.get(name);
    if (value) wanted.set(name, value);
  }
  const answer = ask<any[]>(`certificates?${wanted}`);
  return (
    <div>
      <Orders />
      <div class="tools">
        <Search label="Search names and issuers" />
        <Choice label="Status" name="status" options={[["", "Any status"], ["enabled", "Ok"], ["warning", "Ends soon"], ["expired", "Expired"]]} />
      </div>
      {!answer.data ? <Waiting answer={answer} /> : answer.data.length === 0 ? <p class="note">There is no certificate but the one we made ourselves.</p> : (
        <Table caption="Certificates" columns={COLUMNS} rows={answer.data} keyOf={(row) => row.name} sorts />
      )}
      {answer.data ? <Pager next={answer.next ?? 1} /> : null}
    </div>
  );
}
