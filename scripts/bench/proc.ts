// Reads figures about processes from the operating system (Linux, /proc) instead of from the processes themselves.
import { readFileSync, readdirSync } from 'node:fs'

/** USER_HZ, the unit of times in /proc: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/** CPU seconds, user and system, of a process and of its children that have ended. */
export function cpuOf (pid: number): number {
  const fields = statOf(pid)
  // The fields are utime, stime, cutime and cstime.
  return [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0) / TICKS_PER_SECOND
}

/** CPU seconds of a process and its children, running or ended. */
export function cpuOfTree (pid: number): number {
  const running = childrenOf(pid).reduce((sum, child) => sum + (unlessEnded(() => cpuOf(child)) ?? 0), 0)
  return running + cpuOf(pid)
}

/** Resident memory in bytes. */
export function rssOf (pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

export function parentOf (pid: number): number {
  return Number(statOf(pid)[1])
}

/** The number of files that this process may open. Its children inherit the limit. */
export function fileLimit (): number {
  const [, soft] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return soft === 'unlimited' ? Infinity : Number(soft)
}

/** The fields of /proc/PID/stat from the third (state) on. The name in front of them may contain any characters, so it is skipped. */
function statOf (pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function childrenOf (pid: number): number[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name)).map(Number)
    .filter(candidate => unlessEnded(() => parentOf(candidate)) === pid)
}

/** Reads something of a process that was listed before. Returns undefined if it has ended since. */
function unlessEnded<T> (read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
