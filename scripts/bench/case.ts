import type { Databases } from './databases.ts'
import type { Generator } from './generator.ts'
import type { Processes } from './processes.ts'
import type { Contender, Server } from './servers.ts'

/** Seconds, but for `rounds`: how often everything is measured, the contenders taking turns. */
export interface Timing {
  rounds: number
  /** Where a few percent of CPU decide: one measurement differs from the next by more. */
  fineRounds: number
  /** With as much as the publishers get answered, whatever pace is measured then. */
  warmUp: number
  measure: number
  /** From the last join to the measuring of memory. */
  settle: number
  idle: number
}

export interface Bench {
  timing: Timing
  databases: Databases
  /** Starts a contender and a load generator for it, and ends both when `use` is through. */
  withServer<T> (contender: Contender, use: (server: Server, generator: Generator) => Promise<T>): Promise<T>
  /** Starts a module beside them, as `createProcesses` says; whoever starts it ends it. */
  start: Processes['start']
  progress (line: string): void
  /** Waits; rejects when the benchmark is interrupted. */
  pause (seconds: number): Promise<void>
}

/** Plain numbers by name; the name ends with the unit. */
export type Figures = Record<string, number>

/** One measurement of one row of a case's table. */
export interface Run { row: string, round: number, figures: Figures }

/** Every row's figures, each the median over the rounds. */
export type Medians = Map<string, Figures>

export interface Column { key: string, title: string, digits: number }

export interface Case {
  /** For `--only`. */
  name: string
  title: string
  /** What a reader has to know to judge the figures. */
  conditions: string[]
  columns: Column[]
  measure (bench: Bench): Promise<Run[]>
  judge (medians: Medians): Target[]
  /** What of it the chart shows. */
  chart?: { key: string, title: string, unit: string, rows: string[] }
}

/** A figure against what it has to reach. */
export interface Target { name: string, value: string, least: string, aim: string, meetsLeast: boolean, meetsAim: boolean }

/** `unit` follows the figures. */
export function atLeast (name: string, value: number, least: number, aim: number, unit = '×'): Target {
  return target(name, value, least, aim, unit, '≥', (a, b) => a >= b)
}

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

/** `of` over `over` in one figure. */
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
