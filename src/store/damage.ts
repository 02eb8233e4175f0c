/** A place of the log that could not be read: reported, skipped, never returned as data. */
export interface Damage {
  /** `E_STORE_CORRUPT`: records that were there are lost. `E_STORE_TORN`: the end of the last segment was cut off. */
  readonly code: 'E_STORE_CORRUPT' | 'E_STORE_TORN';
  /** File name in the log's directory. */
  readonly segment: string;
  readonly offset: number;
  readonly bytes: number;
  /** Records known to be lost; undefined where that cannot be told. */
  readonly records: number | undefined;
}

const MAX_ENTRIES = 1000;

/** The damage seen so far, each place once however often it is read; bounded. */
export class DamageReport {
  readonly #entries = new Map<string, Damage>();
  readonly #onDamage: ((damage: Damage) => void) | undefined;

  constructor(onDamage?: ((damage: Damage) => void) | undefined) {
    this.#onDamage = onDamage;
  }

  add(damage: Damage): void {
    const key = `${damage.segment}:${damage.offset}`;
    if (this.#entries.has(key) || this.#entries.size >= MAX_ENTRIES) return;
    this.#entries.set(key, damage);
    this.#onDamage?.(damage);
  }

  get entries(): readonly Damage[] {
    return [...this.#entries.values()];
  }
}
