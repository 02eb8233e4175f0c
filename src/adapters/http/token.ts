import { createHash, timingSafeEqual } from 'node:crypto';

/** Checks `Authorization: Bearer …` in constant time: digests are compared, so the length tells nothing either. */
export class BearerCheck {
  readonly #digest: Buffer;

  constructor(token: string) {
    this.#digest = digest(token);
  }

  allows(authorization: string | undefined): boolean {
    if (authorization === undefined || authorization.slice(0, 7).toLowerCase() !== 'bearer ') return false;
    return timingSafeEqual(digest(authorization.slice(7).trim()), this.#digest);
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'latin1').digest();
}
