/** A part of a fixture that the suite needs unless the harness says `without`. */
export function required<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('the fixture lacks this case and the harness does not say `without`');
  return part;
}
