/** AMQP 0-9-1 method frames that a test lets a proxy say in the broker's name. */
function frame(channel: number, classId: number, methodId: number, fields: Buffer): Buffer {
  const payload = Buffer.alloc(4 + fields.length);
  payload.writeUInt16BE(classId, 0);
  payload.writeUInt16BE(methodId, 2);
  fields.copy(payload, 4);
  const head = Buffer.alloc(7);
  head[0] = 1;
  head.writeUInt16BE(channel, 1);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
}

function short(text: string): Buffer {
  return Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)]);
}

function code(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export const connectionBlocked = (reason: string): Buffer => frame(0, 10, 60, short(reason));

export const connectionUnblocked = (): Buffer => frame(0, 10, 61, Buffer.alloc(0));

export const channelClose = (channel: number, replyCode: number, text: string): Buffer =>
  frame(channel, 20, 40, Buffer.concat([code(replyCode), short(text), Buffer.alloc(4)]));
