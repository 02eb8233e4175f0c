const MARK = Buffer.from('"partitionkey":"');

/** The partition key of a structured event by looking for it in the text: a raw loop parses nothing. */
export function keyIn(payload: Buffer): string | undefined {
  const at = payload.indexOf(MARK);
  if (at < 0) return undefined;
  const from = at + MARK.length;
  return payload.toString('latin1', from, payload.indexOf(0x22, from));
}
