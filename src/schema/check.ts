export { Allowance, allowMistake } from './allowance.ts';
export type { SchemaDocument } from './compile.ts';
export { type ReadSchema, readSchemaFiles, type SchemaFiles } from './files.ts';
