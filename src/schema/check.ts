export { Allowance, allowMistake } from './allowance.ts';
export { readSchemaFiles } from './files.ts';
