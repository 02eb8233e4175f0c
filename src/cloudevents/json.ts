export { decodeJson, decodeJsonBatch } from './json-decode.ts';
export { encodeJson, encodeJsonBatch } from './json-encode.ts';
