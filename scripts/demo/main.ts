// `npm run demo`: serves a community of 200 people with two months of history, in which scripted people go on talking.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { onSignals } from '../../src/process/signals.ts'
import { makeDirectory } from '../../src/store/data-directory.ts'
import { lockDirectory } from '../../src/store/lock.ts'
import { runCommand, UsageError } from '../command.ts'
import { root } from '../root.ts'
import { logins, PASSWORD } from './people.ts'
import { startDemo } from './server.ts'

const USAGE = `usage: npm run demo -- [OPTION …]
  --port N     listens on this port of 127.0.0.1 (8080)
  --seed N     makes another community of this number, which has a database of its own (1)
  --now TIME   ends the history at this time, as 2026-11-29T12:00:00Z (now)
  --fresh      makes the community anew, and forgets what was said since
  --still      serves it without anybody talking
  --quiet      prints the address only`

await runCommand(main)

async function main (args: string[]): Promise<void> {
  const { port, seed, now, fresh, still, quiet } = readOptions(args)
  const directory = join(root, 'data', 'demo', `seed-${seed}`)
  if (fresh) await forget(directory)
  const progress = quiet ? {} : { onProgress: showProgress() }
  // Until then, a signal ends the process at once: what is written of a community by then is nothing, because it is one transaction.
  const demo = await startDemo({ directory, port, seed, now, isStill: still, ...progress })
  const ended = new Promise<string>(resolve => onSignals(resolve, () => process.exit(1)))
  console.log(quiet ? demo.url : greeting(demo.url, directory, still))
  await ended
  await demo.close()
}

function readOptions (args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        port: { type: 'string', default: '8080' },
        seed: { type: 'string', default: '1' },
        now: { type: 'string' },
        fresh: { type: 'boolean', default: false },
        still: { type: 'boolean', default: false },
        quiet: { type: 'boolean', default: false }
      }
    })
    return {
      ...values,
      port: readNumber(values.port, 65_535),
      seed: readNumber(values.seed, 2 ** 32 - 1),
      now: values.now === undefined ? Date.now() : readTime(values.now)
    }
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`)
  }
}

function readNumber (text: string, most: number): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > most) throw new RangeError(`${text} is no number from 0 to ${most}`)
  return Number(text)
}

function readTime (text: string): number {
  const time = Date.parse(text)
  if (Number.isNaN(time)) throw new RangeError(`${text} is no time`)
  return time
}

/** Deletes the database of a demo. @throws DatabaseError while a process uses it. */
async function forget (directory: string): Promise<void> {
  makeDirectory(directory)
  const unlock = await lockDirectory(directory)
  for (const part of ['pglite', 'jwt_secret']) rmSync(join(directory, part), { recursive: true, force: true })
  await unlock()
}

/** Returns a function that shows the progress as one line on the standard error output. */
function showProgress (): (written: number, all: number) => void {
  let shown = -1
  return (written, all) => {
    const percent = Math.floor(100 * written / all)
    if (percent === shown) return
    shown = percent
    process.stderr.write(`\rparley: making the community … ${percent} %${percent === 100 ? '\n' : ''}`)
  }
}

function greeting (url: string, directory: string, isStill: boolean): string {
  const width = Math.max(...logins.map(({ role }) => role.length))
  return `
The demo is at ${url}${isStill ? ', and still' : ', and people are talking'}
${logins.map(({ role, email }) => `  ${role.padEnd(width)}  ${email}`).join('\n')}
  ${'password'.padEnd(width)}  ${PASSWORD}
  ${'database'.padEnd(width)}  ${directory}
Ctrl-C ends it. What was said stays; --fresh makes everything anew.
`
}
