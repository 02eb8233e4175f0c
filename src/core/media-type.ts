/** Whether the media type is JSON: subtype `json` or suffix `+json`, any parameters. */
export function isJson(contentType: string | undefined): boolean {
  if (contentType === undefined) return false;
  if (contentType === 'application/json') return true;
  const essence = essenceOf(contentType);
  return essence.endsWith('/json') || (essence.endsWith('+json') && essence.includes('/'));
}

/** A media type without its parameters, in lower case. */
export function essenceOf(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}
