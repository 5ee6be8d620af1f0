// Medians, percentiles and what /proc says of processes and of the machine.
import { readFileSync } from 'node:fs';

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** Nearest rank; NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** Linux counts processor time in hundredths of a second. */
const TICKS = 100;

/** Seconds of processor time that a process and its threads have used; 0 of one that is gone. */
export function cpuOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return 0;
  }
}

/** Resident memory of a process in KB. */
export function residentOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? NaN);
}

/** Seconds that all cores together were busy since the machine was started. */
export function machineBusy(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = readFileSync('/proc/stat', 'latin1')
    .split('\n', 1)
    .join('')
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS;
}

/** A process with all that it has started. */
export function treeOf(pid: number): readonly number[] {
  const tree = [pid];
  for (const each of tree) {
    try {
      const children = readFileSync(`/proc/${each}/task/${each}/children`, 'latin1').trim();
      if (children !== '') tree.push(...children.split(' ').map(Number));
    } catch {
      // A process that has ended in the meantime has no children either.
    }
  }
  return tree;
}
