/** CPU time of this process, all threads, in microseconds. */
export function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Calls in a stretch that takes at least so long. */
export function ratePerCpuSecond(work: (at: number) => void, leastMs: number): number {
  const from = cpuMicros();
  const leastMicros = leastMs * 1_000;
  let calls = 0;
  let used = 0;
  let stretch = 16;
  do {
    for (let n = 0; n < stretch; n += 1) work(calls + n);
    calls += stretch;
    used = cpuMicros() - from;
    if (used < leastMicros / 8) stretch *= 2;
  } while (used < leastMicros);
  return calls / (used / 1e6);
}
