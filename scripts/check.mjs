// npm run check: types, format and lint, import boundaries, dead code, generated docs. Fails at the first that does.
import { spawnSync } from 'node:child_process';
import { bin, install, must, root } from './setup.mjs';

await install();
process.stdout.write('types\n');
await must(bin('tsc'), ['--noEmit', '-p', 'tsconfig.json']);
process.stdout.write('format and lint\n');
await must(bin('biome'), ['ci', '--error-on-warnings']);
process.stdout.write('import boundaries\n');
boundaries();
process.stdout.write('dead code\n');
await must(bin('knip'), ['--no-progress']);
process.stdout.write('generated docs\n');
await must(bin('tsx'), ['scripts/docs.ts', '--check']);
process.stdout.write('all clean\n');

/** dependency-cruiser reports success when it could parse nothing, so its own count is checked. */
function boundaries() {
  const { status, stdout, stderr } = spawnSync(bin('depcruise'), ['src', '--output-type', 'json'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  const { summary } = JSON.parse(stdout || '{"summary":{"totalCruised":0,"violations":[]}}');
  for (const { rule, from, to } of summary.violations) process.stdout.write(`  ${rule.name}: ${from} → ${to}\n`);
  process.stdout.write(`  ${summary.totalCruised} modules, ${summary.violations.length} violations\n`);
  if (status === 0 && summary.totalCruised > 20 && summary.violations.length === 0) return;
  process.stdout.write(stderr || 'import boundaries do not hold, or no module was looked at\n');
  process.exit(1);
}
