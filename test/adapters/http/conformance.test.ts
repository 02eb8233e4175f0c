import { decode, encode, encodeBatch } from '../../../src/adapters/http/codec.ts';
import { http } from '../../../src/adapters/http/index.ts';
import type { HttpContent } from '../../../src/cloudevents/http.ts';
import { decodeHttp } from '../../../src/cloudevents/http.ts';
import type { MeshEvent } from '../../../src/core/event.ts';
import { codecSuite } from '../../conformance/codec.suite.ts';
import { sourceSuite } from '../../conformance/source.suite.ts';
import { legOf, targetSuite } from '../../conformance/target.suite.ts';
import { jsonEvent } from '../../setup/events.ts';
import { eventually } from '../../setup/eventually.ts';
import { broker, freePort, Producer, source, TestReceiver, target } from './fixture.ts';

const again = ({ headers, body }: HttpContent): MeshEvent => {
  const request = {
    path: '/',
    method: 'POST',
    rawHeaders: Object.entries(headers).flat(),
    body: body ?? Buffer.alloc(0),
  };
  const options = { wrap: undefined, maxEventBytes: 1_048_576, maxBatch: 10 };
  return decode(request, options, () => 'id')[0] as MeshEvent;
};

codecSuite({
  kind: 'http',
  modes: {
    binary: (event) => again(encode(event, 'binary')),
    structured: (event) => again(encode(event, 'structured')),
    batched: (event) => again(encodeBatch([event])),
  },
});

sourceSuite({
  kind: 'http',
  features: http.source?.features as NonNullable<typeof http.source>['features'],
  redelivery: 'none',
  without: ['poison'], // bad input is answered at the door
  async setup() {
    const port = await freePort();
    const handle = broker({ listen: { port } });
    const taken = await new TestReceiver().start();
    const broken = broker({ listen: { port: taken.port } });
    const producer = new Producer(`http://127.0.0.1:${port}/events`);
    return {
      async produce(events) {
        const answers = events.map((event) => producer.post(event));
        // what was refused for now is sent again, as any client must; what waits for its settlement is not waited for
        void Promise.all(
          answers.map(async (answer, index) => {
            while ((await answer) === 503 && (await producer.post(events[index] as MeshEvent)) === 503);
          }),
        ).catch(() => undefined);
      },
      create: () => source(handle),
      createBroken: () => source(broken),
      async teardown() {
        await producer.close();
        await handle.close();
        await taken.stop();
      },
    };
  },
});

targetSuite({
  kind: 'http',
  encodings: ['binary', 'structured', 'raw'],
  async setup() {
    const receiver = await new TestReceiver().start();
    const handle = broker({ url: `${receiver.url}/hooks` });
    const nothing = broker({ url: `http://127.0.0.1:${await freePort()}` });
    const seen = async (count: number) => {
      await eventually(() => receiver.seen.length >= count);
      return receiver.seen.splice(0);
    };
    return {
      create: (encoding) => target(handle, { encoding, url: '/{type}/{needed:-x}' }),
      createBroken: () => target(nothing, {}),
      received: async (count) =>
        (await seen(count)).map(({ rawHeaders, body }) => decodeHttp(rawHeaders, body).events[0] as MeshEvent),
      receivedRaw: async (count) => (await seen(count)).map(({ body }) => body),
      refusedLeg: () => legOf(jsonEvent(9, { type: '../x' })),
      async teardown() {
        await handle.close();
        await nothing.close();
        await receiver.stop();
      },
    };
  },
});
