export type Mark = readonly [x: number, y: number];

/** A drawing of lines, dots and texts, as SVG. */
export class Svg {
  readonly #parts: string[] = [];
  readonly #width: number;
  readonly #height: number;

  constructor(width: number, height: number) {
    this.#width = width;
    this.#height = height;
  }

  line(x1: number, y1: number, x2: number, y2: number, colour: string, width = 1): void {
    this.#parts.push(
      `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" stroke="${colour}" stroke-width="${width}"/>`,
    );
  }

  dot(x: number, y: number, radius: number, colour: string): void {
    this.#parts.push(`<circle cx="${at(x)}" cy="${at(y)}" r="${radius}" fill="${colour}"/>`);
  }

  box(x: number, y: number, width: number, height: number): void {
    this.#parts.push(
      `<rect x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" fill="none" stroke="#bbbbbb"/>`,
    );
  }

  path(marks: readonly Mark[], colour: string): void {
    const points = marks.map(([x, y]) => `${at(x)},${at(y)}`).join(' ');
    this.#parts.push(`<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="1.2"/>`);
  }

  text(x: number, y: number, text: string, size = 13): void {
    const safe = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
    this.#parts.push(`<text x="${at(x)}" y="${at(y)}" font-size="${size}">${safe}</text>`);
  }

  toString(): string {
    const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${this.#width}" height="${this.#height}" viewBox="0 0 ${this.#width} ${this.#height}" font-family="sans-serif">`;
    const ground = `<rect width="100%" height="100%" fill="white"/>`;
    return `${head}\n${ground}\n${this.#parts.join('\n')}\n</svg>\n`;
  }
}

function at(value: number): string {
  return String(Number(value.toFixed(1)));
}
