import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../setup/eventually.ts';
import { freePort } from '../setup/places/index.ts';
import { Command, fairlead, temporaryFolder } from './command.ts';

/** Posts come in, and go to a server that must never hear of one. */
async function folder(): Promise<{ cwd: string; port: number; heard: string[] }> {
  const cwd = temporaryFolder();
  const port = await freePort();
  const heard: string[] = [];
  const server = createServer((request, response) => {
    heard.push(`${request.method}`);
    response.writeHead(200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  writeFileSync(
    join(cwd, 'fairlead.yaml'),
    `version: 1
brokers:
  web: { type: http, listen: { port: ${port} } }
  far: { type: http, url: 'http://127.0.0.1:${(server.address() as AddressInfo).port}' }
sources: { posts: { broker: web, path: /events } }
targets: { hook: { broker: far, url: '/hooks/{type}' } }
routes: [{ name: all, from: [posts], when: { filters: [{ exact: { type: a } }] }, to: [hook], state: paused }]
store: { path: ./store }
`,
  );
  return { cwd, port, heard };
}

const post = (port: number, id: string, type: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}/events`, {
    method: 'POST',
    headers: { 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/s', 'ce-type': type },
  });

test('run --dry-run: a line per event, nothing sent, until the limit', async () => {
  const { cwd, port, heard } = await folder();
  const command = new Command(['run', '--dry-run', '--limit', '2'], { cwd });
  expect((await eventually(() => post(port, '1', 'a'))).status).toBe(503);
  expect((await post(port, '2', 'b')).status).toBe(503);
  const { code, stdout, stderr } = await command.end();
  expect(stdout).toMatch(
    /^posts {2}.*a 1 of \/s {2}all → hook \(held\)\nposts {2}.*b 2 of \/s {2}unmatched: dead-letter\n$/,
  );
  expect(stderr).toMatch(
    /^dry run: up to 2 events are explained; nothing is sent, settled or stored\n {2}source posts: /,
  );
  expect(stderr).toMatch(/2 explained, 1 unmatched, 0 poison\n$/);
  expect(code).toBe(0);
  expect(heard).not.toContain('POST');
});

test('run --dry-run: JSON lines; Ctrl-C ends it; a target that would not work is told of', async () => {
  const { cwd, port } = await folder();
  const text = 'targets: { dead: { broker: gone, url: / },';
  const config = readFileSync(join(cwd, 'fairlead.yaml'), 'utf8');
  const gone = `brokers:\n  gone: { type: http, url: 'http://127.0.0.1:${await freePort()}' }`;
  writeFileSync(join(cwd, 'fairlead.yaml'), config.replace('targets: {', text).replace('brokers:', gone));
  const command = new Command(['run', '--dry-run', '-o', 'json'], { cwd });
  await eventually(() => post(port, '1', 'a'));
  await command.until(/target dead: /);
  command.signal('SIGINT');
  const { code, stdout } = await command.end();
  const [line] = stdout.trim().split('\n');
  expect(JSON.parse(line as string)).toMatchObject({
    source: 'posts',
    event: { id: '1', source: '/s', type: 'a' },
    routes: [{ route: 'all', matched: true, paused: true }],
    legs: [{ route: 'all', target: 'hook', held: true }],
  });
  expect(code).toBe(6);
});

test('--limit has its place', async () => {
  const { cwd } = await folder();
  expect(await fairlead(['run', '--limit', '5'], { cwd })).toMatchObject({
    code: 2,
    stderr: '--limit is for --dry-run\n',
  });
  expect(await fairlead(['run', '--dry-run', '--limit', '0'], { cwd })).toMatchObject({ code: 2 });
});
