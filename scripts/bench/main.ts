// `npm run bench [-- CASE …]` compares Parley with Socket.IO and ws, and its client with others, in one run on this machine, with its own
// PostgreSQL and Redis. It prints tables; unless it is quick, it also writes docs/benchmark.json and docs/benchmark.svg.
// `npm run bench -- growth` measures how Parley's costs grow and writes docs/growth.json and what is made of it, and
// `npm run bench -- growth-channels --row='100,100 channels'` does so for one row, and keeps the others;
// `npm run bench -- simulate` only makes it anew.
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Bench, Case } from './case.ts'
import { client } from './cases/client.ts'
import { calm, saturated } from './cases/fan-out.ts'
import { flooded } from './cases/floods.ts'
import { channels, subscribers } from './cases/growth.ts'
import { idle } from './cases/idle.ts'
import { opening } from './cases/opening.ts'
import { storm } from './cases/storm.ts'
import { stored } from './cases/stored.ts'
import { web } from './cases/web.ts'
import { drawChart } from './chart.ts'
import { prepareDatabases } from './databases.ts'
import { startGenerator } from './generator.ts'
import { growthCases } from './growth/cases.ts'
import { writePages } from './growth/pages.ts'
import { simulate } from './growth/simulate.ts'
import { describeMachine } from './machine.ts'
import { readOptions, type Options } from './options.ts'
import { fileLimit } from './proc.ts'
import { createProcesses } from './processes.ts'
import { toOutcome, toText, withRowsOf, type Outcome } from './report.ts'
import { startServer } from './servers.ts'
import { root } from '../root.ts'
import { startServices } from '../services.ts'

/** The cases that run without an argument. */
const usual = [saturated, calm, stored, idle, opening, storm, flooded, subscribers, channels, client, web]
const cases = [...usual, ...growthCases]
const PEOPLE = 10_000
/** Open files that a process needs: 10,000 connections and some others. */
const FILES_NEEDED = 10_500

/** Time in which the end of a server becomes known after a connection broke. */
const GRACE_MS = 500

const processes = createProcesses()
const interruption = new AbortController()
let interrupted: NodeJS.Signals | undefined
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interrupted) return
    interrupted = signal
    interruption.abort()
    // Everything that waits for a child process then rejects, and the `finally` blocks below end the rest.
    processes.stopAll()
  })
}

try {
  const [first, ...rest] = process.argv.slice(2)
  const docs = join(root, 'docs')
  if (first === 'simulate') console.log(simulate(rest, docs).join('\n'))
  else await measure(readOptions(process.argv.slice(2), cases.map(({ name }) => name), docs))
} catch (error) {
  if (!interrupted) console.error(`bench: ${(error as Error).message}`)
  process.exitCode = 1
}
if (interrupted) process.exit(128 + constants.signals[interrupted])

async function measure (options: Options): Promise<void> {
  const limit = fileLimit()
  if (limit < FILES_NEEDED) {
    throw new Error(`10,000 connections need ${FILES_NEEDED} open files and the limit is ${limit}: raise it with ulimit -n ${FILES_NEEDED}`)
  }
  checkRow(options)
  await runAll(options)
}

/** @throws Error with the names of the rows, unless the case has the row that is asked for. */
function checkRow ({ row, only, timing }: Options): void {
  if (row === null) return
  const rows = rowsOf(cases.find(({ name }) => name === only![0])!, timing)
  if (!rows.includes(row)) throw new Error(`no row ${row}; ${only![0]} has: ${rows.join('; ')}`)
}

function rowsOf (one: Case, timing: Options['timing']): string[] {
  return one.rows?.({ timing, progress: () => {} }) ?? []
}

async function runAll (options: Options): Promise<void> {
  const machine = describeMachine()
  const { timing } = options
  console.log(`${machine.cores} cores of ${machine.cpu}, Node ${machine.node}`)
  console.log(`${timing.warmUp} s warm-up and ${timing.measure} s measured each, ` + (options.quick
    ? 'one round: a quick check, not a measurement'
    : `the median of ${timing.rounds} rounds, of ${timing.fineRounds} where a few percent of CPU decide`))
  const outcomes: Outcome[] = []
  await withBench(options, async bench => {
    for (const one of options.only ? cases.filter(({ name }) => options.only!.includes(name)) : usual) {
      if (interrupted) return
      console.error(`\n${one.title} …`)
      const outcome = await runCase(one, bench)
      if (outcome) outcomes.push(outcome)
    }
  })
  if (options.out !== null && outcomes.length > 0 && !interrupted) save(options, options.out, outcomes)

  /** Reports an error of the case instead of throwing it, so that the other cases still run. */
  async function runCase (one: Case, bench: Bench): Promise<Outcome | undefined> {
    try {
      const outcome = toOutcome(one, await one.measure(bench), machine, timing)
      console.log(toText(one, outcome))
      return outcome
    } catch (error) {
      if (interrupted) return
      console.error(`bench: ${one.name} failed: ${(error as Error).message}`)
      process.exitCode = 1
    }
  }
}

async function withBench ({ timing, row }: Options, use: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-bench-'))
  const secret = randomBytes(32).toString('base64url')
  const { signal } = interruption
  try {
    const services = await startServices({ durable: true })
    try {
      const { postgresUrl, redisUrl } = services
      const databases = await prepareDatabases({ postgresUrl, folder, secret, people: PEOPLE, signal })
      try {
        await use({
          timing,
          row,
          databases,
          redisUrl,
          async withServer (contender, act) {
            signal.throwIfAborted()
            const server = await startServer(contender, { processes, databases, redisUrl, secret })
            const generator = startGenerator(processes)
            try {
              return await act(server, generator)
            } catch (error) {
              // A broken connection is often the first sign of a server that ended, so wait for a better reason.
              const end = await Promise.race([server.ended, delay(GRACE_MS)])
              throw end === undefined ? error : new Error(`${(error as Error).message}; ${contender.name} ${end}`)
            } finally {
              await Promise.all([server.stop(), generator.stop()])
            }
          },
          start: processes.start,
          progress: line => console.error(`  ${line}`),
          pause: seconds => delay(seconds * 1000, undefined, { signal })
        })
      } finally {
        await databases.close()
      }
    } finally {
      await services.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function save (options: Options, folder: string, outcomes: Outcome[]): void {
  mkdirSync(folder, { recursive: true })
  const compared = merge(join(folder, 'benchmark.json'), usual, outcomes, options)
  if (compared) {
    writeFileSync(join(folder, 'benchmark.svg'), drawChart(usual, compared))
    console.log(`\nwritten: benchmark.json and benchmark.svg in ${folder}`)
  }
  const grown = merge(join(folder, 'growth.json'), growthCases, outcomes, options)
  if (grown) {
    console.log(`\nwritten: growth.json in ${folder}`)
    if (!options.quick && grown.length === growthCases.length) console.log(`written: ${writePages(folder).join(' and ')}`)
  }
}

/** Writes the outcomes of these cases to a file, if any of them ran. Cases and rows that did not run keep their previous outcome. */
function merge (file: string, cases: Case[], outcomes: Outcome[], { row, timing }: Options): Outcome[] | undefined {
  if (!cases.some(({ name }) => outcomes.some(outcome => outcome.name === name))) return
  const before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as Outcome[] : []
  const all = cases.flatMap(one => {
    const isIt = (outcome: Outcome): boolean => outcome.name === one.name
    const [now, old] = [outcomes.find(isIt), before.find(isIt)]
    return now && old && row !== null ? withRowsOf(old, now, rowsOf(one, timing)) : now ?? old ?? []
  })
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`)
  return all
}
