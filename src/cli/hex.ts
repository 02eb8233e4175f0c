/** Bytes as `hexdump -C` shows them: offset, sixteen bytes, what of them is printable ASCII. */
export function hexDump(bytes: Buffer): string {
  let out = '';
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const ascii = Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    out += `  ${at.toString(16).padStart(8, '0')}  ${hex.padEnd(47)}  |${ascii}|\n`;
  }
  return out;
}
