/** What a pattern may have at most: matching is linear in it, and it is read by recursion. */
export const PATTERN_LIMITS = {
  /** Maps within maps, `$or` included. */
  depth: 32,
  /** Fields and tests together. */
  entries: 4_096,
  /** UTF-16 units of one value. */
  textLength: 4_096,
  /** `*` in all wildcards together: each costs a pass over the value. */
  stars: 256,
} as const;
