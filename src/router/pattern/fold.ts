/**
 * Text for comparing without case: lower, then upper case of every character by Unicode's full mappings, in no language
 * (`ß` is `SS`, the Kelvin sign is `K`, both small sigmas are `Σ`).
 */
export function foldCase(text: string): string {
  return text.toLowerCase().toUpperCase();
}
