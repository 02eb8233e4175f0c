import { SegmentedLog } from '../../src/store/segmented-log.ts';

/**
 * Run as a process of its own and killed: appends batches from several callers at once and prints, for each that was
 * acknowledged, `first count` on a line. Arguments: directory, a tag that goes into every record.
 */
const [, , directory = '', tag = ''] = process.argv;
const log = await SegmentedLog.open({ directory, segmentBytes: 256 << 10, maxBytes: 64 << 20 });
process.stdout.write('open\n');

async function caller(name: number): Promise<never> {
  for (let round = 0; ; round += 1) {
    const count = 1 + ((name * 7 + round * 13) % 40);
    const records = Array.from({ length: count }, (_, index) =>
      Buffer.alloc(100 + index * 30, `${tag}.${name}.${round}.${index};`),
    );
    const first = await log.append(records);
    process.stdout.write(`${first} ${count} ${name} ${round}\n`);
  }
}

await Promise.all([0, 1, 2, 3].map(caller));
