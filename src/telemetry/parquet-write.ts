import fs from 'node:fs/promises';
import { type ColumnSource, fileWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import { FairleadError } from '../core/errors.ts';
import { type Column, decisionColumns, snapshotColumns } from './parquet-columns.ts';
import { readLines } from './read-lines.ts';
import type { FileHeader } from './records.ts';

/** Rows that are held in memory and stand in one row group. */
const GROUP = 16_384;

/** Key of the file's header in the metadata of a Parquet file. */
export const HEADER_KEY = 'fairlead';

/**
 * Writes the records of an ended NDJSON file as two Parquet files beside it, `….decisions.parquet` and `….snapshots.parquet`, and
 * deletes it. The files get their names when they are complete; after a crash the NDJSON file is there still.
 */
export async function convertToParquet(file: string): Promise<void> {
  const stem = file.replace(/\.ndjson$/, '');
  const counts = { badLines: 0 };
  let parts: { readonly decisions: Part<never>; readonly snapshots: Part<never> } | undefined;
  const decisionsFile = `${stem}.decisions.parquet`;
  const snapshotsFile = `${stem}.snapshots.parquet`;
  try {
    for await (const record of readLines(file, counts)) {
      if ('telemetry' in record) {
        parts ??= {
          decisions: new Part(`${decisionsFile}.tmp`, record, decisionColumns(record)),
          snapshots: new Part(`${snapshotsFile}.tmp`, record, snapshotColumns(record)),
        };
      } else if (parts === undefined) {
        throw new FairleadError({ code: 'E_TELEMETRY_READ', message: `${file} does not begin with a header` });
      } else if ('decision' in record) parts.decisions.add(record as never);
      else {
        const rows = record.targets.length * record.classes;
        for (let row = 0; row < rows; row += 1) parts.snapshots.add({ snapshot: record, row } as never);
      }
    }
    if (parts !== undefined) {
      parts.decisions.finish();
      parts.snapshots.finish();
      // Decisions last: where they are, their snapshots are.
      await fs.rename(`${snapshotsFile}.tmp`, snapshotsFile);
      await fs.rename(`${decisionsFile}.tmp`, decisionsFile);
    }
    await fs.rm(file);
  } catch (error) {
    await Promise.all([decisionsFile, snapshotsFile].map((name) => fs.rm(`${name}.tmp`, { force: true })));
    throw error;
  }
}

/** One Parquet file that is being written, row group by row group. */
class Part<T> {
  readonly #columns: readonly Column<T>[];
  readonly #writer: ParquetWriter;
  #data: unknown[][];
  #rows = 0;

  constructor(file: string, header: FileHeader, columns: readonly Column<T>[]) {
    this.#columns = columns;
    this.#data = columns.map(() => []);
    this.#writer = new ParquetWriter({
      writer: fileWriter(file),
      schema: schemaFromColumnData({ columnData: this.#columnData() }),
      kvMetadata: [{ key: HEADER_KEY, value: JSON.stringify(header) }],
      createdBy: 'fairlead',
    });
  }

  add(row: T): void {
    for (const [index, column] of this.#columns.entries()) {
      const value = column.value(row);
      (this.#data[index] as unknown[]).push(value === undefined ? null : value);
    }
    this.#rows += 1;
    if (this.#rows === GROUP) this.#group();
  }

  finish(): void {
    if (this.#rows > 0) this.#group();
    void this.#writer.finish(); // the file writer is synchronous
  }

  #group(): void {
    void this.#writer.write({ columnData: this.#columnData(), rowGroupSize: GROUP });
    this.#data = this.#columns.map(() => []);
    this.#rows = 0;
  }

  #columnData(): ColumnSource[] {
    return this.#columns.map(({ name, type, nullable }, index) => ({
      name,
      type,
      data: this.#data[index] as unknown[],
      nullable: nullable ?? false,
    }));
  }
}
