import { parseArgs } from 'node:util'
import type { Timing } from './case.ts'

export interface Options {
  quick: boolean
  timing: Timing
  /** The names of the cases to run; null for all. */
  only: string[] | null
  /** The only row to measure, of a case of growth; null for all rows. The other rows keep the figures that they have. */
  row: string | null
  /** The folder to which the outcomes are written; null to write no files. */
  out: string | null
}

const FULL: Timing = { rounds: 3, fineRounds: 5, warmUp: 3, measure: 10, settle: 20, idle: 30, minutes: 2, rows: 10_000_000 }
const QUICK: Timing = { rounds: 1, fineRounds: 1, warmUp: 1, measure: 2, settle: 3, idle: 5, minutes: 0.25, rows: 20_000 }

/** Stands for all cases whose names begin with it. */
const GROWTH = 'growth'

/** @throws Error that includes the usage. */
export function readOptions (args: string[], names: string[], docs: string): Options {
  const usage = `usage: npm run bench [-- CASE …] [--quick] [--only=${GROWTH},${names.join(',')}] [--out=FOLDER] [--minutes=N] [--rows=N]` +
    ' [--row=ROW]'
  let values
  let chosen
  try {
    const text = { type: 'string' } as const
    const options = { quick: { type: 'boolean', default: false }, only: text, out: text, minutes: text, rows: text, row: text } as const
    const given = parseArgs({ args, options, allowPositionals: true })
    values = given.values
    chosen = given.positionals
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${usage}`)
  }
  const wanted = chosen.length > 0 || values.only !== undefined ? [...chosen, ...values.only?.split(',') ?? []] : null
  const only = wanted?.flatMap(name => name === GROWTH ? names.filter(other => other.startsWith(`${GROWTH}-`)) : name) ?? null
  const unknown = only?.filter(name => !names.includes(name)) ?? []
  if (unknown.length > 0) throw new Error(`no case ${unknown.join(', ')}\n${usage}`)
  const row = values.row ?? null
  if (row !== null && (only?.length !== 1 || !only[0]!.startsWith(`${GROWTH}-`))) {
    throw new Error(`--row takes one case of growth, such as ${GROWTH}-channels\n${usage}`)
  }
  const timing = values.quick ? QUICK : FULL
  const minutes = Number(values.minutes ?? timing.minutes)
  if (!(minutes > 0)) throw new Error(`--minutes takes a number above 0\n${usage}`)
  const rows = Number(values.rows ?? timing.rows)
  if (!(Number.isInteger(rows) && rows > 0)) throw new Error(`--rows takes a whole number above 0\n${usage}`)
  return {
    quick: values.quick,
    timing: { ...timing, minutes, rows },
    only,
    row,
    out: values.out ?? (values.quick ? null : docs)
  }
}
