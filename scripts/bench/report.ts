import { format, mediansOf, type Case, type Run, type Target, type Timing } from './case.ts'
import type { Machine } from './machine.ts'

/** The outcome of a case, in the form of docs/benchmark.json. */
export interface Outcome {
  name: string
  title: string
  conditions: string[]
  machine: Machine
  /** When the case ended. */
  date: string
  timing: Timing
  /** For each row, the median of each figure over the rounds. */
  medians: Record<string, Record<string, number>>
  targets: Target[]
  runs: Run[]
}

export function toOutcome (one: Case, runs: Run[], machine: Machine, timing: Timing): Outcome {
  const { name, title, conditions } = one
  const medians = mediansOf(runs)
  const date = new Date().toISOString()
  return { name, title, conditions, machine, date, timing, medians: Object.fromEntries(medians), targets: one.judge(medians), runs }
}

/**
 * Adds the rows that `before` has, and that were not measured again, to an outcome of some rows. `order` has the names of all rows. The
 * machine and the date are those of the later outcome.
 */
export function withRowsOf (before: Outcome, outcome: Outcome, order: string[]): Outcome {
  const place = (row: string): number => order.includes(row) ? order.indexOf(row) : order.length
  const runs = [...before.runs.filter(({ row }) => !(row in outcome.medians)), ...outcome.runs]
    .sort((a, b) => place(a.row) - place(b.row))
  return { ...outcome, medians: Object.fromEntries(mediansOf(runs)), runs }
}

/** The outcome as text: a table of the medians, then each target and whether it is met. */
export function toText ({ columns }: Case, { title, conditions, medians, targets }: Outcome): string {
  const shown = columns.filter(({ key }) => Object.values(medians).some(figures => figures[key]))
  const table = [
    ['', ...shown.map(column => column.title)],
    ...Object.entries(medians).map(([row, figures]) => [row, ...shown.map(({ key, digits }) => format(figures[key]!, digits))])
  ]
  const judged = targets.map(({ name, value, least, aim, meetsLeast, meetsAim }) =>
    [`${meetsLeast ? '✓' : '✗'} ${name}`, value, `must be ${least}`, `aim ${aim}`, meetsAim ? 'reached' : 'not reached'])
  const verdict = judged.length > 0 ? ['', ...align(judged)] : []
  return ['', title, ...conditions.map(line => `  ${line}`), '', ...align(table), ...verdict].join('\n')
}

/** Aligns the first column to the left and all others to the right. */
function align (rows: string[][]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map(row => row[i]!.length)))
  return rows.map(row => `  ${row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join('  ')}`)
}
