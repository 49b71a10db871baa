// Everything that an entry point leads to, as one picture.

import { ask } from "../data";
import { here, turn } from "../place";
import { Pager, Search, Waiting } from "../parts";
import { Picture, pathOf } from "../picture";
import { PROTOCOLS } from "./objects";
import { Element_, h } from "../view";

/** Routers in one picture. */
const MOST = 20;

export function Topology(): Element_ {
  const { query } = here();
  const protocol = query.get("protocol") ?? "http";
  const points = ask<any[]>("entrypoints?per_page=1000").data ?? [];
  const point = query.get("entryPoint") ?? "";
  const wanted = new URLSearchParams({ per_page: String(MOST), search: query.get("search") ?? "", page: query.get("page") ?? "1" });
  const answer = ask<any[]>(`${protocol}/routers?${wanted}`);
  const routers = (answer.data ?? []).filter((router) => point === "" || (router.using ?? []).includes(point));
  const pick = (name: string) => (event: any) => turn({ [name]: event.target.value, page: "" }, true);
  return (
    <div>
      <div class="tools">
        <Search label="Search names and rules" />
        <label class="field">
          <span class="hidden">Protocol</span>
          <select value={protocol} onchange={pick("protocol")}>
            {PROTOCOLS.map((one) => <option value={one}>{one.toUpperCase()}</option>)}
          </select>
        </label>
        <label class="field">
          <span class="hidden">Entry point</span>
          <select value={point} onchange={pick("entryPoint")}>
            <option value="">Any entry point</option>
            {points.map((one) => <option value={one.name}>{one.name}</option>)}
          </select>
        </label>
      </div>
      {!answer.data ? <Waiting answer={answer} /> : routers.length === 0 ? <p class="note">No router on this page leads anywhere.</p> : (
        <Picture ways={routers.map((router) => pathOf(protocol, router))} />
      )}
      {answer.data ? <Pager next={answer.next ?? 1} /> : null}
    </div>
  );
}
