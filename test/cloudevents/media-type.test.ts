import { expect, test } from 'vitest';
import { contentMode, isUtf8Text } from '../../src/cloudevents/media-type.ts';
import { isJson } from '../../src/core/media-type.ts';

test.each([
  ['application/cloudevents+json', 'structured'],
  ['Application/CloudEvents+JSON;charset=UTF-8', 'structured'],
  ['application/cloudevents+json; charset="utf-8"; x=y', 'structured'],
  ['application/cloudevents', 'structured'],
  ['application/cloudevents ; charset=utf-8', 'structured'],
  ['application/cloudevents-batch+json', 'batch'],
  ['APPLICATION/CLOUDEVENTS-BATCH+JSON; charset=utf-8', 'batch'],
  ['application/cloudevents-batch', 'batch'],
  ['application/cloudevents+avro', 'unsupported'],
  ['application/cloudevents-batch+xml', 'unsupported'],
  ['application/cloudevents+json; charset=utf-16', 'unsupported'],
  ['application/cloudeventsplus', 'binary'],
  ['application/cloudevents-batcher', 'binary'],
  ['application/json', 'binary'],
  ['text/plain; a="application/cloudevents+json"', 'binary'],
  ['', 'binary'],
  [undefined, 'binary'],
])('%j is %s', (contentType, mode) => {
  expect(contentMode(contentType)).toBe(mode);
});

test.each([
  ['application/json', true],
  ['APPLICATION/JSON ;charset=utf-8', true],
  ['text/json', true],
  ['application/vnd.acme+json', true],
  ['application/jsonl', false],
  ['application/json-seq', false],
  ['text/plain; x=application/json', false],
  ['+json', false],
  ['', false],
  [undefined, false],
])('JSON: %j %s', (contentType, expected) => {
  expect(isJson(contentType)).toBe(expected);
});

test.each([
  ['text/plain', true],
  ['TEXT/html; charset=utf-8', true],
  ['text/plain; charset=us-ascii', true],
  ['text/plain; charset=iso-8859-1', false],
  ['application/xml', false],
  [undefined, false],
])('text in UTF-8: %j %s', (contentType, expected) => {
  expect(isUtf8Text(contentType)).toBe(expected);
});
