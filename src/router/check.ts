/** The checks of conditions that a configuration is held against: the only door of the router for src/config (ADR 0008). */
export { type CesqlFinding, checkCesql } from './cesql/check.ts';
