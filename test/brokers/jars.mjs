import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

function cacheRoot() {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'fairlead', 'brokers');
}

/**
 * The folder with the jars that `<name>.pom.xml` names, fetched from Maven Central the first time.
 * It is complete or absent: jars are collected in a temporary folder that is renamed at the end.
 * @param {string} name
 * @param {(line: string) => void} log
 * @param {boolean} [unpack] for an archive
 * @returns {Promise<string>}
 */
export async function resolveJars(name, log, unpack = false) {
  const pom = fileURLToPath(new URL(`${name}.pom.xml`, import.meta.url));
  const hash = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 16);
  const target = join(cacheRoot(), hash);
  if (existsSync(target)) return target;

  log(`${name}: fetching its jars from Maven Central (kept in ${target})`);
  await mkdir(cacheRoot(), { recursive: true });
  const temporary = await mkdtemp(join(cacheRoot(), `${hash}.tmp-`));
  try {
    const goal = unpack ? 'dependency:unpack' : 'dependency:copy-dependencies';
    const args = ['-q', '-B', '-f', pom, goal];
    args.push(`-DoutputDirectory=${temporary}`, '-DincludeScope=runtime');
    await run('mvn', args, { timeout: 300_000, maxBuffer: 16 * 1024 * 1024 });
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if (existsSync(target)) return target; // another process was first
    const { message, stdout = '' } = /** @type {Error & { stdout?: string }} */ (error);
    throw new Error(
      `cannot fetch the jars of ${name}: ${message}\n${stdout.slice(0, 2000)}\n` +
        `Check that Maven reaches Maven Central: mvn -f ${pom} dependency:copy-dependencies`,
      { cause: error },
    );
  }
  return target;
}
