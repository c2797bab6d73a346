import { rules } from './rules.ts'

export type Verdict = 'passed' | 'failed' | 'not seen' | 'not offered'

/** The outcome of one case. */
export interface Outcome {
  rule: string
  title: string
  verdict: Verdict
  /** Why the case could not be judged. */
  reason?: string
  expected?: string
  came?: string
}

export interface Report {
  server: string
  outcomes: Outcome[]
  /** Names of the accounts and channels that the run has made and could not delete. */
  left: string[]
  seconds: number
}

export interface RuleVerdict { rule: string, title: string, verdict: Verdict, reason?: string, cases: Array<Omit<Outcome, 'rule'>> }

/** The verdict on each rule: the worst of its cases, and passed if one passed while others could not be judged. */
export function byRule (outcomes: Outcome[]): RuleVerdict[] {
  return Object.entries(rules).map(([rule, { title, unseen }]) => {
    const own = outcomes.filter(outcome => outcome.rule === rule)
    const cases = own.map(({ rule: _, ...outcome }) => outcome)
    const first = (verdict: Verdict) => cases.find(outcome => outcome.verdict === verdict)
    if (unseen !== undefined) return { rule, title, verdict: 'not seen', reason: unseen, cases }
    // A row without a case of its own is judged by everything that was received; no deviation was noted.
    if (cases.length === 0) return { rule, title, verdict: 'passed', cases }
    const { verdict, reason } = first('failed') ?? first('passed') ?? first('not offered') ?? first('not seen')!
    return { rule, title, verdict, ...reason !== undefined && { reason }, cases }
  })
}

/** The report as text: a line for each rule, and below a failed one what was expected and what came. */
export function toText ({ server, outcomes, left, seconds }: Report): string {
  const verdicts = byRule(outcomes)
  const lines = verdicts.flatMap(({ rule, title, verdict, reason, cases }) => [
    `${`[${rule}]`.padEnd(10)} ${verdict.padEnd(11)} ${title}${reason === undefined ? '' : `: ${reason}`}`,
    ...cases.filter(outcome => outcome.verdict === 'failed').flatMap(({ title, expected, came }) =>
      [`             case:     ${title}`, `             expected: ${expected}`, `             came:     ${came}`])
  ])
  const count = (wanted: Verdict) => verdicts.filter(({ verdict }) => verdict === wanted).length
  const summary = `${count('passed')} passed, ${count('failed')} failed, ${count('not offered')} not offered, ${count('not seen')} not seen`
  return [`${server}, in ${seconds.toFixed(1)} s`, ...lines, ...[...new Set(left)].map(what => `left behind: ${what}`), summary].join('\n')
}

/** The report for programs. */
export function toJson ({ server, outcomes, left, seconds }: Report): string {
  return JSON.stringify({ server, seconds, rules: byRule(outcomes), left }, null, 2) + '\n'
}
