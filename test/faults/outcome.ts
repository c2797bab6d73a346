import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Test } from '../tap.ts'

/** The result of a run, which passes if it has no problems. Figures are for people: milliseconds if the name ends in `_ms`. */
export interface Outcome {
  problems: string[]
  figures: Record<string, number>
  /** Why the run was not possible on this machine. */
  skipped?: string
}

/** Collects an outcome. The event loop lag of this process is one of its figures, because a load generator that lags measures itself. */
export function createReport () {
  const problems: string[] = []
  const figures: Record<string, number> = {}
  const lag = monitorEventLoopDelay({ resolution: 10 })
  lag.enable()
  return {
    problem (text: string): void { problems.push(text) },
    /** Adds a figure that must not exceed `most`. */
    atMost (name: string, value: number, most: number): void {
      figures[name] = round(value)
      if (!(value <= most)) problems.push(`${name}: ${round(value)}, allowed ${most}`)
    },
    equal (name: string, value: number, wanted: number): void {
      figures[name] = value
      if (value !== wanted) problems.push(`${name}: ${value}, wanted ${wanted}`)
    },
    figure (name: string, value: number): void { figures[name] = round(value) },
    read: (name: string): number => figures[name] ?? NaN,
    outcome (): Outcome {
      lag.disable()
      figures.own_lag_ms = round(lag.max / 1e6)
      return { problems, figures }
    }
  }
}

export type Report = ReturnType<typeof createReport>

const round = (value: number): number => Math.round(value * 10) / 10

/** Asserts that the outcome has no problems, or skips the test. */
export function passes (t: Test, { problems, figures, skipped }: Outcome): void {
  if (skipped !== undefined) {
    t.pass(skipped, { skip: true })
    return
  }
  t.comment(JSON.stringify(figures))
  t.same(problems, [])
}
