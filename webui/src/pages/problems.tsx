// Everything that is wrong with the configuration: where, and what was probably meant.

import { ask } from "../data";
import { here, link } from "../place";
import { Choice, Column, Search, Status, Table, Waiting } from "../parts";
import { Element_, h } from "../view";

const COLUMNS: Column<any>[] = [
  { title: "Severity", show: (row) => <Status of={row.severity} /> },
  { title: "Object", show: (row) => (row.name ? <a href={link(...row.section.split("."), row.name)}>{row.name}</a> : "–") },
  { title: "What is wrong", show: (row) => row.message },
  { title: "Place", show: (row) => <code>{row.place ?? ""}</code>, kind: "code" },
];

export function Problems(): Element_ {
  const { query } = here();
  const answer = ask<any[]>("problems");
  const [search, severity] = [(query.get("search") ?? "").toLowerCase(), query.get("severity") ?? ""];
  const wanted = (answer.data ?? []).filter((row) =>
    (severity === "" || row.severity === severity) && `${row.name} ${row.message} ${row.place}`.toLowerCase().includes(search));
  return (
    <div>
      <div class="tools">
        <Search label="Search" />
        <Choice label="Severity" name="severity" options={[["", "Any severity"], ["error", "Errors"], ["warning", "Warnings"]]} />
      </div>
      {!answer.data ? <Waiting answer={answer} /> : wanted.length === 0 ? <p class="note">{answer.data.length === 0 ? "Nothing is wrong." : "Nothing like that is wrong."}</p> : (
        <Table caption="Problems" columns={COLUMNS} rows={wanted.slice(0, 500)} keyOf={(row) => `${row.section}/${row.name}/${row.message}`} />
      )}
      {wanted.length > 500 ? <p class="note">{`The first 500 of ${wanted.length}.`}</p> : null}
    </div>
  );
}
