import { type Disk, type DiskFile, nodeDisk } from '../../src/store/disk.ts';

type Operation = 'write' | 'writeDurable' | 'sync' | 'rename' | 'open' | 'remove' | 'syncDirectory';

/** The real disk with faults: `fail` makes operations fail, `gate` holds durable writes back, `durable` counts them. */
export class FaultyDisk implements Disk {
  /** Error code for an operation on a file, or undefined to let it pass. */
  fail: (operation: Operation, file: string) => string | undefined = () => undefined;
  gate: Promise<void> | undefined;
  durable = 0;

  makeDirectory(directory: string): Promise<void> {
    return nodeDisk.makeDirectory(directory);
  }

  list(directory: string): Promise<string[]> {
    return nodeDisk.list(directory);
  }

  async open(file: string, mode: 'read' | 'append' | 'create'): Promise<DiskFile> {
    this.check('open', file);
    return new FaultyFile(this, file, await nodeDisk.open(file, mode));
  }

  async rename(from: string, to: string): Promise<void> {
    this.check('rename', to);
    await nodeDisk.rename(from, to);
  }

  async remove(file: string): Promise<void> {
    this.check('remove', file);
    await nodeDisk.remove(file);
  }

  async syncDirectory(directory: string): Promise<void> {
    this.check('syncDirectory', directory);
    await nodeDisk.syncDirectory(directory);
  }

  check(operation: Operation, file: string): void {
    const code = this.fail(operation, file);
    if (code !== undefined) throw Object.assign(new Error(`${operation}: ${code}`), { code });
  }
}

class FaultyFile implements DiskFile {
  readonly #disk: FaultyDisk;
  readonly #name: string;
  readonly #file: DiskFile;

  constructor(disk: FaultyDisk, name: string, file: DiskFile) {
    this.#disk = disk;
    this.#name = name;
    this.#file = file;
  }

  size(): Promise<number> {
    return this.#file.size();
  }

  read(buffer: Buffer, position: number): Promise<number> {
    return this.#file.read(buffer, position);
  }

  async write(buffer: Buffer, position: number): Promise<void> {
    this.#disk.check('write', this.#name);
    await this.#file.write(buffer, position);
  }

  /** A failing one has written all the same: as when the sync fails after the write. */
  async writeDurable(buffer: Buffer, position: number): Promise<void> {
    this.#disk.durable += 1;
    await this.#disk.gate;
    await this.#file.writeDurable(buffer, position);
    this.#disk.check('writeDurable', this.#name);
  }

  async sync(): Promise<void> {
    this.#disk.check('sync', this.#name);
    await this.#file.sync();
  }

  truncate(length: number): Promise<void> {
    return this.#file.truncate(length);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
