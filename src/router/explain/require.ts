import type { Template } from '../../core/template.ts';
import { type Attributed, type Labelled, labelText, parseRequire, type Requirements, textOf } from '../require.ts';
import { quoted, type Refusal } from './refusal.ts';

/** What `require` of a choice said to one of its candidates; without a refusal the event may go there. */
export interface CandidateVerdict {
  readonly target: string;
  readonly refusal?: Refusal;
}

interface Candidate extends Labelled {
  readonly name: string;
}

/** Explains what `compileRequire` decides: one verdict per candidate, in their order. Throws FairleadError `E_TEMPLATE`. */
export function explainRequire(
  require: Requirements,
  candidates: readonly Candidate[],
): (event: Attributed) => readonly CandidateVerdict[] {
  const requirements = parseRequire(require);
  return (event) => {
    const resolve = textOf(event);
    return candidates.map((candidate): CandidateVerdict => {
      for (const { label, values } of requirements) {
        const refusal = refusalOf(label, values, labelText(candidate, label), resolve);
        if (refusal !== undefined) return { target: candidate.name, refusal };
      }
      return { target: candidate.name };
    });
  };
}

/** The first requirement that a candidate does not fulfil decides. */
function refusalOf(
  label: string,
  values: readonly Template[],
  actual: string | undefined,
  resolve: Parameters<Template['render']>[0],
): Refusal | undefined {
  const wanted = values.map((value) => value.render(resolve));
  if (actual !== undefined && wanted.includes(actual)) return undefined;
  const at = `require.${label}`;
  const said = wanted.filter((text) => text !== undefined);
  const expected = said.map(quoted).join(' or ');
  if (said.length === 0) {
    const missing = [...new Set(values.flatMap(({ names }) => names))].filter((name) => resolve(name) === undefined);
    return { code: 'missing', at, message: `the event has no ${missing.join(' and no ')} to compare ${label} with` };
  }
  if (actual === undefined)
    return { code: 'missing', at, message: `it has no label ${label}, wanted ${expected}`, expected };
  return { code: 'differs', at, message: `${label} is ${quoted(actual)}, not ${expected}`, expected, actual };
}
