/** The checks of conditions that a configuration is held against: the only door of the router for src/config (ADR 0008). */
export { type CesqlFinding, checkCesql } from './cesql/check.ts';
export type { PatternFinding } from './pattern/finding.ts';
export { OPERATORS as PATTERN_OPERATORS } from './pattern/operators.ts';
export { checkPattern } from './pattern/parse.ts';
