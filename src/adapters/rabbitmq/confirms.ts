import { CONFIRMED, type SendResult } from '../../core/target.ts';

/**
 * The legs of one `send` that were published, in the order of publishing: their confirm tags run on by one from `firstTag`.
 * One object and one promise for the whole batch.
 */
export class Publication {
  readonly firstTag: number;
  readonly done: Promise<readonly SendResult[]>;
  /** Index of the leg by order of publishing. */
  readonly #indexes: number[] = [];
  readonly #results: (SendResult | undefined)[];
  readonly #settled: boolean[] = [];
  #resolve: (results: readonly SendResult[]) => void = () => {};
  /** Everything before is settled. */
  #low = 0;
  #open = 0;
  #sealed = false;
  #answered = false;

  constructor(firstTag: number, legs: number) {
    this.firstTag = firstTag;
    this.#results = new Array(legs).fill(undefined);
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get size(): number {
    return this.#indexes.length;
  }

  /** Published and not settled by the broker. */
  get open(): number {
    return this.#open;
  }

  /** Notes that the leg of this index was published, with the next tag. */
  published(index: number): void {
    this.#indexes.push(index);
    this.#settled.push(false);
    this.#open += 1;
  }

  /** Notes the result of a leg that was not published. */
  refused(index: number, result: SendResult): void {
    this.#results[index] = result;
  }

  /** Says that nothing more is published for this batch. */
  seal(): void {
    this.#sealed = true;
    this.#answerIfDone();
  }

  indexAt(order: number): number {
    return this.#indexes[order] as number;
  }

  isOpen(order: number): boolean {
    return this.#settled[order] === false;
  }

  /** The broker returned the leg as unroutable: it is confirmed all the same, and that confirm must not count. */
  returned(order: number, result: SendResult): void {
    this.#results[this.indexAt(order)] = result;
  }

  /** Settles one tag, or all up to it; `failure` for a nack. Returns how many that were. */
  settle(tag: number, multiple: boolean, failure: SendResult | undefined): number {
    const last = Math.min(tag - this.firstTag, this.size - 1);
    let count = 0;
    for (let order = multiple ? this.#low : last; order <= last; order += 1) {
      if (this.#settled[order] !== false) continue;
      this.#settled[order] = true;
      const index = this.#indexes[order] as number;
      this.#results[index] ??= failure ?? CONFIRMED;
      count += 1;
    }
    while (this.#settled[this.#low] === true) this.#low += 1;
    this.#open -= count;
    this.#answerIfDone();
    return count;
  }

  /** Answers now, with `result` for every leg that has none; confirms that still come only free the window. */
  abandon(result: SendResult): void {
    for (let index = 0; index < this.#results.length; index += 1) this.#results[index] ??= result;
    this.#answer();
  }

  #answerIfDone(): void {
    if (this.#sealed && this.#open === 0) this.#answer();
  }

  #answer(): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#resolve(this.#results as SendResult[]);
  }
}

/** The publications of one confirm channel that await their confirms, oldest first. */
export class Confirms {
  readonly #publications: Publication[] = [];
  #nextTag = 1;
  #outstanding = 0;

  /** Published and not settled by the broker, abandoned ones included. */
  get outstanding(): number {
    return this.#outstanding;
  }

  begin(legs: number): Publication {
    const publication = new Publication(this.#nextTag, legs);
    this.#publications.push(publication);
    return publication;
  }

  /** Call at once for each message that amqplib took. */
  published(publication: Publication, index: number): void {
    publication.published(index);
    this.#nextTag += 1;
    this.#outstanding += 1;
  }

  /** Ends a publication's publishing; one without any published leg is forgotten. */
  seal(publication: Publication): void {
    if (publication.open === 0) this.#forget(publication);
    publication.seal();
  }

  /** An ack or nack of the broker. */
  settle(tag: number, multiple: boolean, failure?: SendResult): void {
    for (let at = 0; at < this.#publications.length; ) {
      const publication = this.#publications[at] as Publication;
      if (publication.firstTag > tag) return;
      const within = tag < publication.firstTag + publication.size;
      if (multiple || within) this.#outstanding -= publication.settle(tag, multiple, failure);
      if (publication.open === 0) this.#publications.splice(at, 1);
      else at += 1;
      if (within) return;
    }
  }

  /** A return of the broker: the first published leg that `matches` and has not been returned yet, since returns come in order. */
  returned(matches: (publication: Publication, index: number) => boolean, result: SendResult): boolean {
    for (const publication of this.#publications) {
      for (let order = this.#from(publication); order < publication.size; order += 1) {
        if (!publication.isOpen(order) || !matches(publication, publication.indexAt(order))) continue;
        publication.returned(order, result);
        this.#lastReturned = publication.firstTag + order;
        return true;
      }
    }
    return false;
  }

  /** The channel is gone: nobody will tell what became of the outstanding. */
  abandon(result: SendResult): void {
    for (const publication of this.#publications.splice(0)) publication.abandon(result);
    this.#outstanding = 0;
  }

  #lastReturned = 0;

  #from(publication: Publication): number {
    return Math.max(0, this.#lastReturned + 1 - publication.firstTag);
  }

  #forget(publication: Publication): void {
    const at = this.#publications.indexOf(publication);
    if (at >= 0) this.#publications.splice(at, 1);
  }
}
