/**
 * The elements of an array and of the arrays within it, which are not yielded themselves; in any order. Not recursive: a
 * body may nest deeply.
 */
export function* elements(array: readonly unknown[]): Generator<unknown> {
  const open: (readonly unknown[])[] = [array];
  for (let list = open.pop(); list !== undefined; list = open.pop()) {
    for (const element of list) {
      if (Array.isArray(element)) open.push(element);
      else yield element;
    }
  }
}
