/** The places that schemas may be fetched from. */
export class Allowance {
  readonly #exact = new Set<string>();
  readonly #folders: string[] = [];

  /** URLs of documents, and of folders, which end with "/" and stand for all below them. */
  constructor(allow: readonly string[]) {
    for (const entry of allow) {
      const { href } = new URL(entry);
      if (href.endsWith('/')) this.#folders.push(href);
      else this.#exact.add(href);
    }
  }

  /** The address to fetch for a reference, normalised and without its fragment; undefined where that is not allowed. */
  address(reference: string): string | undefined {
    if (!URL.canParse(reference)) return undefined;
    const url = new URL(reference);
    if (!['https:', 'http:'].includes(url.protocol) || url.username !== '' || url.password !== '') return undefined;
    url.hash = '';
    const { href } = url;
    return this.#exact.has(href) || this.#folders.some((folder) => href.startsWith(folder)) ? href : undefined;
  }
}

/** What is wrong with an entry of `allow`, or undefined. */
export function allowMistake(entry: string): string | undefined {
  if (!URL.canParse(entry)) return 'expected a URL such as "https://schemas.acme.com/"';
  const { protocol, username, password, hash, search } = new URL(entry);
  if (protocol !== 'https:' && protocol !== 'http:') return 'expected a URL that begins with https:// or http://';
  if (username !== '' || password !== '') return 'expected a URL without user and password';
  return hash === '' && search === '' ? undefined : 'expected a URL without "?" and "#"';
}
