import { randomBytes } from 'node:crypto'
import { cases as accounts } from './cases/accounts.ts'
import { cases as authentication } from './cases/authentication.ts'
import { cases as caps } from './cases/caps.ts'
import { cases as changes } from './cases/changes.ts'
import { cases as channels } from './cases/channels.ts'
import { cases as directs } from './cases/directs.ts'
import { cases as markers } from './cases/markers.ts'
import { cases as moderation } from './cases/moderation.ts'
import { cases as publishing } from './cases/publishing.ts'
import { cases as reactions } from './cases/reactions.ts'
import { cases as requests } from './cases/requests.ts'
import { cases as resuming } from './cases/resuming.ts'
import { cases as signals } from './cases/signals.ts'
import { cases as tables } from './cases/tables.ts'
import { cases as transport } from './cases/transport.ts'
import { cases as watching } from './cases/watching.ts'
import { readContract } from './contract.ts'
import { CannotRun, gather } from './people.ts'
import type { Outcome, Report } from './report.ts'
import { createRest } from './rest.ts'
import { createStage, type Case, type World } from './stage.ts'
import { Deviation, Withheld } from './verdict.ts'
import { createWitness } from './witness.ts'

/** All cases. Those that wait longest are first, so that the others run meanwhile. */
export const cases: Case[] = [
  ...authentication, ...changes, ...caps, ...markers, ...transport, ...requests, ...accounts, ...channels, ...publishing, ...resuming,
  ...reactions, ...signals, ...moderation, ...directs, ...watching, ...tables
]

/** How many times as long as one answer a case may take, and all cases together. */
const CASE_DEADLINE = 5
const RUN_DEADLINE = 10

export interface JudgeOptions {
  /** The server's base URL: ws://, wss://, http:// or https://, perhaps with a path. */
  url: string
  /** Access tokens of users, at least two, where nobody can register. */
  tokens: string[]
  adminToken: string | undefined
  /** Milliseconds that one answer may take. */
  deadline: number
  /** Cases that run at the same time. */
  concurrency: number
  /** The cases to run; all by default. */
  only?: Case[]
}

/** Runs cases against a server. @throws CannotRun where the server cannot be judged. */
export async function judge ({ url, tokens, adminToken, deadline, concurrency, only = cases }: JudgeOptions): Promise<Report> {
  const began = performance.now()
  const contract = readContract()
  const witness = createWitness(contract)
  const urls = urlsOf(url)
  const rest = createRest(urls.rest, witness, deadline)
  const run = `conform-${randomBytes(4).toString('hex')}`
  const people = await gather(rest, run, { tokens, adminToken }).catch(error => {
    if (!(error instanceof Deviation)) throw error
    throw new CannotRun(`${urls.rest} cannot be judged: ${error.message}`)
  })
  const world: World = { contract, witness, people, rest, urls, deadline, run, left: [] }
  try {
    const outcomes = await runCases(only, world, began, concurrency)
    for (const [rule, { expected, came }] of witness.deviations) {
      outcomes.push({ rule, title: 'everything that was received', verdict: 'failed', expected, came })
    }
    return { server: url, outcomes, left: world.left, seconds: (performance.now() - began) / 1000 }
  } finally {
    world.left.push(...await people.leave())
  }
}

async function runCases (only: Case[], world: World, began: number, concurrency: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const waiting = [...cases.entries()].filter(([, each]) => only.includes(each))
  async function work (): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [turn, each] = next
      const left = RUN_DEADLINE * world.deadline - (performance.now() - began)
      const outcome = await runCase(each, world, turn, Math.min(left, CASE_DEADLINE * world.deadline))
      outcomes[turn] = { rule: each.rule, title: each.title, ...outcome }
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  // The cases that did not run have left empty places, which `filter` skips.
  return outcomes.filter(() => true)
}

async function runCase (each: Case, world: World, turn: number, within: number): Promise<Omit<Outcome, 'rule' | 'title'>> {
  const stage = createStage(world, turn)
  let timer: NodeJS.Timeout | undefined
  try {
    await Promise.race([
      each.run(stage),
      new Promise<never>((_resolve, reject) => {
        const late = new Deviation('an end of the case', `none within ${Math.round(within)} ms`)
        timer = setTimeout(() => reject(late), Math.max(0, within))
      })
    ])
    return { verdict: 'passed' }
  } catch (error) {
    if (error instanceof Withheld) return { verdict: error.verdict, reason: error.message }
    if (error instanceof Deviation) return { verdict: 'failed', expected: error.expected, came: error.came }
    return { verdict: 'failed', expected: 'answers that the case can read', came: (error as Error).message }
  } finally {
    clearTimeout(timer)
    await stage.end().catch(error => world.left.push(`what the case "${each.title}" made: ${(error as Error).message}`))
  }
}

/** @throws CannotRun unless the text is a URL of a known scheme. */
function urlsOf (text: string): World['urls'] {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isSecure = url?.protocol === 'wss:' || url?.protocol === 'https:'
  if (!url || !['ws:', 'wss:', 'http:', 'https:'].includes(url.protocol)) {
    throw new CannotRun(`${text} is no ws://, wss://, http:// or https:// URL`)
  }
  const base = `//${url.host}${url.pathname.replace(/\/+$/, '')}`
  return { rest: `${isSecure ? 'https:' : 'http:'}${base}`, socket: `${isSecure ? 'wss:' : 'ws:'}${base}/websocket` }
}
