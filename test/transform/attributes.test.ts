import { describe, expect, test } from 'vitest';
import { encodeJson } from '../../src/cloudevents/json.ts';
import { decodeJson } from '../../src/cloudevents/json-decode.ts';
import { extensions } from '../setup/events.ts';
import { changes, one, run, withData } from './steps.ts';

const event = withData('{"order":{"id":"o-1","total":12345678901234567890,"ok":true,"none":null}}', {
  subject: 'line-1',
  extensions: extensions({ tenant: 'a', hop: 3, urgent: true, note: 'x' }),
});

describe('set', () => {
  test('changes what it names and nothing else', async () => {
    const after = await one(event, { set: { type: 'com.example.{tenant}', region: 'eu', hop: 4, urgent: false } });
    expect(changes(event, after)).toEqual({ type: 'com.example.a', region: 'eu', hop: '4', urgent: 'false' });
    expect(after.extensions).toMatchObject({ hop: 4, urgent: false });
    expect(after.data).toBe(event.data);
  });

  test('templates read fields of the data as they stand in it', async () => {
    const set = {
      subject: '{data.order.id}/{data.order.total}',
      flag: '{data.order.ok}',
      rest: '{data.order.none:-no}',
    };
    expect(changes(event, await one(event, { set }))).toEqual({
      subject: 'o-1/12345678901234567890',
      flag: 'true',
      rest: 'no',
    });
  });

  test.each([
    ['{nothing}', 'E_TRANSFORM_TEMPLATE'],
    ['{data.order.missing}', 'E_TRANSFORM_TEMPLATE'],
    ['{data.order.id.deeper}', 'E_TRANSFORM_TEMPLATE'],
    ['{data.__proto__.x}', 'E_TRANSFORM_TEMPLATE'],
    ['{nothing:-}', 'E_TRANSFORM_ATTRIBUTE'],
  ])('a template %s that has no value is a failure: %s', async (template, code) => {
    expect(await run(event, { set: { subject: template } })).toBe(code);
  });

  test.each([
    ['type', '{data.text}'],
    ['time', '{tenant}'],
    ['source', 'a {tenant}'],
    ['datacontenttype', ' {tenant}'],
  ])('the rules of CloudEvents hold for %s', async (name, template) => {
    const odd = event.with({ data: Buffer.from('{"text":"a\\u0001b"}') });
    expect(await run(odd, { set: { [name]: template } })).toBe('E_TRANSFORM_ATTRIBUTE');
  });

  test('data that is not JSON fails only where it is asked for', async () => {
    const text = event.with({ data: Buffer.from('no json') });
    expect(await run(text, { set: { subject: '{data.a:-x}' } })).toBe('E_TRANSFORM_DATA');
    expect(changes(text, await one(text, { set: { subject: '{tenant}' } }))).toEqual({ subject: 'a' });
  });
});

describe('rename and remove', () => {
  test('move values with their types; what is absent is passed over', async () => {
    const after = await one(event, {
      rename: { hop: 'jumps', absent: 'present' },
      remove: ['note', 'gone', 'subject'],
    });
    expect(changes(event, after)).toEqual({ hop: undefined, jumps: '3', note: undefined, subject: undefined });
    expect(after.extensions['jumps']).toBe(3);
  });

  test('two attributes can change places', async () => {
    const after = await one(event, { rename: { tenant: 'note', note: 'tenant' } });
    expect(changes(event, after)).toEqual({ tenant: 'x', note: 'a' });
  });

  test('a value that the new name may not have is a failure', async () => {
    expect(await run(event, { rename: { hop: 'subject' } })).toBe('E_TRANSFORM_ATTRIBUTE');
  });

  test('templates of a step see the event as the step found it, those of the next what it left', async () => {
    const after = await one(event, { rename: { tenant: 'owner' }, remove: ['note'], set: { was: '{tenant}{note}' } });
    expect(changes(event, after)).toEqual({ tenant: undefined, owner: 'a', note: undefined, was: 'ax' });
    expect(await run(event, { remove: ['note'] }, { set: { was: '{note}' } })).toBe('E_TRANSFORM_TEMPLATE');
  });
});

describe('verbatim bytes', () => {
  const bytes = Buffer.from(
    '{ "specversion":"1.0", "id":"1","source":"/s","type":"t","note":"n","datacontenttype":"application/json","data":{"a": 1.0} }',
  );

  test('are kept by an event to which nothing happens, and left behind by one that changes', async () => {
    const structured = decodeJson(bytes);
    expect(await one(structured, { remove: ['absent'], set: { type: 't' }, data: { remove: ['b'] } })).toBe(structured);
    const after = await one(structured, { remove: ['note'] });
    expect(after.structured).toBeUndefined();
    expect(encodeJson(after).toString()).toBe(
      '{"specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"application/json","data":{"a": 1.0}}',
    );
  });
});
