// The first page: is traffic well, is the configuration well, and where does it come from?

import { ask, news, Second } from "../data";
import { link } from "../place";
import { bytes, Card, millis, number, Tag, Waiting } from "../parts";
import { Element_, h } from "../view";

interface Counts { total: number; warnings: number; errors: number }

function Numbers({ title, counts, to }: { title: string; counts: Counts; to: string }): Element_ {
  const good = counts.total - counts.warnings - counts.errors;
  // The least thing that is wrong is to be seen.
  const width = (share: number) => (share > 0 ? Math.max((share / counts.total) * 100, 1.5) : 0);
  return (
    <a class="numbers" href={to}>
      <span class="what">{title}</span>
      <strong>{counts.total.toLocaleString("en")}</strong>
      <svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="fill ok" x={0} y={0} width={width(good)} height={4} />
        <rect class="fill warn" x={100 - width(counts.errors) - width(counts.warnings)} y={0} width={width(counts.warnings)} height={4} />
        <rect class="fill bad" x={100 - width(counts.errors)} y={0} width={width(counts.errors)} height={4} />
      </svg>
      <span class="detail">
        {counts.errors > 0 ? <span class="status bad">{`${counts.errors} with errors`}</span> : null}
        {counts.warnings > 0 ? <span class="status warn">{`${counts.warnings} with warnings`}</span> : null}
        {counts.errors + counts.warnings === 0 ? <span class="status ok">all ok</span> : null}
      </span>
    </a>
  );
}

/** The last two minutes of one number. */
function Line({ title, now, values, tone }: { title: string; now: string; values: number[]; tone?: string }): Element_ {
  const top = Math.max(...values, 1e-9);
  const step = 100 / 119;
  const from = 100 - (values.length - 1) * step;
  const points = values.map((value, at) => `${(from + at * step).toFixed(2)},${(28 - (value / top) * 26).toFixed(2)}`);
  return (
    <div class="spark">
      <span class="what">{title}</span>
      <strong>{now}</strong>
      <svg viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true">
        <polyline class={`line ${tone ?? ""}`} points={points.join(" ")} />
      </svg>
    </div>
  );
}

function TrafficCard(): Element_ {
  const seconds = news.seconds;
  const last: Second = seconds[seconds.length - 1] ?? { rate: 0, errors: 0, median: 0, slow: 0, out: 0 };
  const of = (part: keyof Second) => seconds.map((second) => second[part]);
  const share = last.rate > 0 ? (last.errors / last.rate) * 100 : 0;
  return (
    <Card title="Traffic" wide>
      <div class="sparks">
        <Line title="Requests per second" now={number(last.rate)} values={of("rate")} />
        <Line title="Server errors" now={`${number(share)} %`} values={of("errors")} tone={share > 0 ? "bad" : ""} />
        <Line title="Median" now={last.rate ? millis(last.median) : "–"} values={of("median")} />
        <Line title="99th percentile" now={last.rate ? millis(last.slow) : "–"} values={of("slow")} />
        <Line title="Sent per second" now={bytes(last.out)} values={of("out")} />
        <Line title="In flight" now={String(news.traffic?.inFlight ?? 0)} values={[]} />
      </div>
    </Card>
  );
}

function Reasons(): Element_ {
  const reasons = Object.entries(news.traffic?.reasons ?? {}).sort((one, other) => other[1] - one[1]);
  return (
    <Card title="Answers that were not a server's">
      {reasons.length === 0 ? <p class="note">None since the start.</p> : (
        <dl class="pairs">
          {reasons.slice(0, 12).map(([reason, count]) => (
            <div key={reason}>
              <dt><code>{reason}</code></dt>
              <dd>{count.toLocaleString("en")}</dd>
            </div>
          ))}
        </dl>
      )}
    </Card>
  );
}

function age(seconds: number): string {
  return seconds < 120 ? `${seconds} s ago` : seconds < 7200 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3600)} h ago`;
}

interface State { name: string; up?: boolean; ageSeconds?: number; lastError?: string }

function Providers(): Element_ {
  const answer = ask<State[]>("x/providers");
  if (!answer.data) return <Waiting answer={answer} />;
  if (answer.data.length === 0) return <p class="note">None is configured.</p>;
  return (
    <dl class="pairs">
      {answer.data.map((one) => (
        <div key={one.name}>
          <dt>{one.name}</dt>
          <dd>
            <span class={`status ${one.up === false ? "bad" : one.up ? "ok" : ""}`}>{one.up === false ? "not reached" : one.up ? "up" : "waiting"}</span>
            {one.ageSeconds === undefined ? null : <small class="note">{` changed ${age(one.ageSeconds)}`}</small>}
            {one.up === false && one.lastError ? <div class="note">{one.lastError}</div> : null}
          </dd>
        </div>
      ))}
    </dl>
  );
}

export function Overview(): Element_ {
  const overview = ask("overview");
  const version = ask("version").data;
  const entryPoints = ask<any[]>("entrypoints").data ?? [];
  const data = overview.data;
  if (!data) return <Waiting answer={overview} />;
  const { features } = data;
  return (
    <div class="cards">
      {overview.error ? <p class="note bad wide" role="alert">{overview.error}</p> : null}
      <TrafficCard />
      {["http", "tcp", "udp"].map((protocol) => (
        <Card title={protocol.toUpperCase()}>
          <div class="rows">
            {["routers", "services", "middlewares"].filter((kind) => data[protocol][kind]).map((kind) => (
              <Numbers title={kind} counts={data[protocol][kind]} to={link(protocol, kind)} />
            ))}
          </div>
        </Card>
      ))}
      <Card title="Certificates">
        <Numbers title="certificates" counts={data.certificates ?? { total: 0, warnings: 0, errors: 0 }} to={link("certificates")} />
      </Card>
      <Card title="Entry points">
        <dl class="pairs">
          {entryPoints.map((point) => (
            <div key={point.name}>
              <dt><a href={link("topology") + `?entryPoint=${encodeURIComponent(point.name)}`}>{point.name}</a></dt>
              <dd><code>{point.address}</code>{point.http?.tls ? <Tag>TLS</Tag> : null}{point.http3 ? <Tag>HTTP/3</Tag> : null}</dd>
            </div>
          ))}
        </dl>
      </Card>
      <Card title="Providers"><Providers /></Card>
      <Card title="Features">
        <dl class="pairs">
          <div><dt>Tracing</dt><dd>{features.tracing || "off"}</dd></div>
          <div><dt>Metrics</dt><dd>{features.metrics || "off"}</dd></div>
          <div><dt>Access log</dt><dd>{features.accessLog ? "on" : "off"}</dd></div>
          {version ? <div><dt>Version</dt><dd>{version.Version}</dd></div> : null}
          {version ? <div><dt>Running since</dt><dd>{new Date(version.startDate).toLocaleString()}</dd></div> : null}
        </dl>
      </Card>
      <Reasons />
    </div>
  );
}
