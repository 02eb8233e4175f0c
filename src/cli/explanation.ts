import type { Explanation, PlannedLeg } from '../explaining.ts';
import { nextDecisionText } from './next-decision.ts';
import { paint, printable, table } from './terminal.ts';

type Candidate = NonNullable<PlannedLeg['candidates']>[number];
type Refusal = NonNullable<Explanation['routes'][number]['refusal']>;

/** An explanation as people read it: the routes with what they said, then the legs, then what their choices would decide. */
export function explanationText(explanation: Explanation, allFeatures = false): string {
  const { source, event, routes, legs } = explanation;
  const { good, dim, bold } = paint(process.stdout);
  const rows = routes.map(({ matched, paused, route, refusal }) => [
    matched ? (paused === true ? '‖' : '✔') : '·',
    printable(route),
    refusal === undefined ? '' : refusal.at,
    refusal === undefined
      ? paused === true
        ? 'matches; paused, so its legs are held'
        : 'matches'
      : printable(refusal.message),
  ]);
  const lines = table(rows).split('\n');
  const told = routes.flatMap(({ matched, refusal }, index) => [
    `  ${matched ? good(lines[index] as string) : dim(lines[index] as string)}\n`,
    ...because(refusal, '      ').map((line) => `${dim(line)}\n`),
  ]);
  return [
    `${bold(`from ${source}`)}: ${printable(`${event.type} ${event.id} of ${event.source}`)}\n`,
    ...told,
    legs.length === 0 ? '' : `legs\n${legTable(legs)}`,
    ...legs.flatMap(({ target, decision }) =>
      decision === undefined ? [] : nextDecisionText(target, decision, allFeatures),
    ),
    unmatchedText(explanation),
  ].join('');
}

function because(refusal: Refusal | undefined, indent: string): string[] {
  return (refusal?.because ?? []).flatMap((inner) => [
    `${indent}${inner.at}: ${printable(inner.message)}`,
    ...because(inner, `${indent}  `),
  ]);
}

function legTable(legs: readonly PlannedLeg[]): string {
  return table(
    legs.flatMap(({ route, target, kind, by, held, address = {}, candidates = [], event, error }) => [
      [
        `  ${route}`,
        `→ ${target} (${by === undefined ? kind : `${kind} by ${by}`})`,
        error === undefined ? addressText(address) : printable(`dead-lettered: ${error.code}: ${error.message}`),
        [...(event === undefined ? [] : ['transformed']), ...(held === true ? ['held'] : [])].join(', '),
      ],
      ...candidates.map(candidateRow),
    ]),
  );
}

function candidateRow({ target, kind, address = {}, refusal }: Candidate): string[] {
  const why = refusal === undefined ? addressText(address) : printable(`${refusal.at}: ${refusal.message}`);
  return ['', `  ${refusal === undefined ? '✔' : '·'} ${target} (${kind})`, why, ''];
}

function addressText(address: NonNullable<PlannedLeg['address']>): string {
  return Object.entries(address)
    .map(([field, value]) => `${field}: ${value === null ? 'none, an attribute is missing' : printable(value)}`)
    .join(', ');
}

function unmatchedText({ unmatched }: Explanation): string {
  switch (unmatched) {
    case 'dead-letter':
      return 'no route matches: kept as a dead letter\n';
    case 'drop':
      return 'no route matches: dropped and counted\n';
    case 'fail':
      return 'no route matches: refused at its source\n';
    case 'send':
      return 'no route matches: sent to the targets of unmatched\n';
    default:
      return '';
  }
}
