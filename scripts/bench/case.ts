import type { Databases } from './databases.ts'
import type { Generator } from './generator.ts'
import type { Processes } from './processes.ts'
import type { Contender, Server } from './servers.ts'

/** Durations are in seconds. */
export interface Timing {
  /** How often everything is measured. The contenders take turns. */
  rounds: number
  /** The rounds of cases in which a few percent of CPU decide, because single measurements differ by more. */
  fineRounds: number
  /** The publishers send as fast as they are answered, whatever pace is measured afterwards. */
  warmUp: number
  measure: number
  /** The time from the last join to the measurement of memory. */
  settle: number
  idle: number
  /** Minutes for which the web app follows a busy channel. */
  minutes: number
  /** The most rows that the cases of growth make: messages kept, and memberships of channels. */
  rows: number
}

export interface Bench {
  timing: Timing
  /** The only row to measure; null for all. */
  row: string | null
  databases: Databases
  redisUrl: string
  /** Starts a contender and a load generator, and ends both after `use`. */
  withServer<T> (contender: Contender, use: (server: Server, generator: Generator) => Promise<T>): Promise<T>
  /** Starts a module as a child process, as `createProcesses` describes. The caller has to end it. */
  start: Processes['start']
  progress (line: string): void
  /** Waits; rejects when the benchmark is interrupted. */
  pause (seconds: number): Promise<void>
}

/** Measured numbers by name. Each name ends with the unit. */
export type Figures = Record<string, number>

/** The figures that one round measured for one row of a case's table. */
export interface Run { row: string, round: number, figures: Figures }

/** For each row, the median of each figure over the rounds. */
export type Medians = Map<string, Figures>

export interface Column { key: string, title: string, digits: number }

export interface Case {
  /** The name that `--only` takes. */
  name: string
  title: string
  /** What a reader has to know to judge the figures. */
  conditions: string[]
  columns: Column[]
  measure (bench: Bench): Promise<Run[]>
  /** The names of its rows, in order, if each row may be measured by itself. */
  rows? (bench: Pick<Bench, 'timing' | 'progress'>): string[]
  judge (medians: Medians): Target[]
  /** The figure and the rows that the chart shows. */
  chart?: { key: string, title: string, unit: string, rows: string[] }
}

/** A figure, the limit that it has to meet (`least`), and the stricter limit that is the goal (`aim`). */
export interface Target { name: string, value: string, least: string, aim: string, meetsLeast: boolean, meetsAim: boolean }

/** A target for a figure that should be high. `unit` is printed after each number. */
export function atLeast (name: string, value: number, least: number, aim: number, unit = '×'): Target {
  return target(name, value, least, aim, unit, '≥', (a, b) => a >= b)
}

/** A target for a figure that should be low. `unit` is printed after each number. */
export function atMost (name: string, value: number, least: number, aim: number, unit = '×'): Target {
  return target(name, value, least, aim, unit, '≤', (a, b) => a <= b)
}

function target (
  name: string, value: number, least: number, aim: number, unit: string, sign: string, meets: (value: number, limit: number) => boolean
): Target {
  const show = (figure: number): string => `${format(figure, Math.abs(figure) < 10 ? 2 : 1)} ${unit}`
  return {
    name,
    value: show(value),
    least: `${sign} ${show(least)}`,
    aim: `${sign} ${show(aim)}`,
    meetsLeast: meets(value, least),
    meetsAim: meets(value, aim)
  }
}

/** Divides the figure `key` of row `of` by that of row `over`. */
export function ratio (medians: Medians, key: string, of: string, over: string): number {
  return (medians.get(of)?.[key] ?? NaN) / (medians.get(over)?.[key] ?? NaN)
}

export function mediansOf (runs: Run[]): Medians {
  return new Map([...new Set(runs.map(run => run.row))].map(row => {
    const ofRow = runs.filter(run => run.row === row)
    const keys = Object.keys(ofRow[0]!.figures)
    return [row, Object.fromEntries(keys.map(key => [key, median(ofRow.map(run => run.figures[key]!))]))]
  }))
}

function median (values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export function format (value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
