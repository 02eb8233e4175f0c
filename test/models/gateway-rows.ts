import { GATEWAY_SCHEMA } from '../../src/models/contract.ts';
import { headerLine } from '../../src/models/training/parse-row.ts';
import { seeded } from '../setup/seeded.ts';

/**
 * Telemetry of three targets as lines of NDJSON, header first. Load and backlog wander about a mean, and the latency follows them at once
 * on a curve, while averages come late; where the backlog is long, sends fail.
 */
export function gatewayRows(rows: number, seed = 1): string[] {
  const random = seeded(seed);
  const names = GATEWAY_SCHEMA.features.map(({ name }) => name);
  const targets = ['eu', 'us', 'edge'].map((name, i) => ({ name, floor: 1 + i, load: 0.3, backlog: 2 }));
  const lines = [headerLine(GATEWAY_SCHEMA)];
  for (let row = 0; row < rows; row += 1) {
    const target = targets[row % targets.length] as (typeof targets)[number];
    target.load = Math.min(2, Math.max(0, target.load + 0.05 * (0.8 - target.load) + 0.5 * (random() - 0.5)));
    target.backlog = Math.min(10, Math.max(0, target.backlog + 0.03 * (5 - target.backlog) + 2 * (random() - 0.5)));
    const values: Record<string, number> = {
      inflight_norm: target.load,
      backlog: target.backlog,
      floor_30s: Math.log1p(Math.exp(target.floor)),
      log_bytes: 5 + 4 * random(),
      is_kafka: target.name === 'eu' ? 1 : 0,
      is_http: target.name === 'edge' ? 1 : 0,
    };
    const failed = random() < (target.backlog > 8 ? 0.5 : 0.01);
    const logMs =
      target.floor + (target.load > 1 ? 1.5 * (target.load - 1) : 0) + 0.15 * target.backlog + random() * 0.4;
    lines.push(
      JSON.stringify({
        ts: Date.UTC(2026, 0, 1) + row * 50,
        at: Date.UTC(2026, 0, 1) + row * 50,
        target: target.name,
        features: names.map((name, i) => values[name] ?? GATEWAY_SCHEMA.features[i]?.default ?? 0),
        ms: failed ? 2_000 : Math.exp(logMs),
        failed,
        weight: 1,
      }),
    );
  }
  return lines;
}
