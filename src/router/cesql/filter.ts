import { FairleadError } from '../../core/errors.ts';
import type { MeshEvent } from '../../core/event.ts';
import { findingsOf } from './check.ts';
import { compileNode } from './compile.ts';
import { parseCesql } from './parser.ts';

/** `error`: the expression failed or gave no Boolean. That is no match (§1.2); the caller counts it. */
export type CesqlVerdict = 'match' | 'no-match' | 'error';
export type CesqlFilter = (event: MeshEvent) => CesqlVerdict;

/** Compiles an expression as a condition; throws FairleadError for what {@link checkCesql} calls an error. */
export function compileCesqlFilter(text: string): CesqlFilter {
  const node = parseCesql(text);
  const refused = findingsOf(node, text).find(({ severity }) => severity === 'error');
  if (refused !== undefined) {
    const { code, position, message, hint } = refused;
    const where = `${position.line}:${position.column}`;
    throw new FairleadError({ code, message: `${where}: ${message}${hint === undefined ? '' : ` — ${hint}`}` });
  }
  const run = compileNode(node);
  return (event) => {
    const value = run(event);
    return value === true ? 'match' : value === false ? 'no-match' : 'error';
  };
}
