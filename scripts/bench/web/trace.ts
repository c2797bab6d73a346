import type { Browser, Page } from 'playwright-core'

/** The tasks of a page's main thread, in CPU time, which other programs on the machine do not lengthen. */
export interface Tasks {
  /** Milliseconds of the longest task. A frame is one task: its scripts, styles, layout and painting. */
  longest: number
  /** Tasks that took more than 50 ms. */
  long: number
}

interface TraceEvent { ph: string, name: string, pid: number, tid: number, tdur?: number, args?: { name?: string } }

const TASK = 'ThreadControllerImpl::RunTask'

/** Calls `work` while Chromium records the tasks of the page. @throws Error if it has recorded none. */
export async function traceTasks<Result> (browser: Browser, page: Page, work: () => Promise<Result>): Promise<Tasks & { result: Result }> {
  await browser.startTracing(page, { categories: ['toplevel'] })
  const result = await work()
  const { traceEvents: events } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] }
  const threads = events.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
  const isOfPage = new Set(threads.map(({ pid, tid }) => `${pid} ${tid}`))
  let [longest, long] = [0, 0]
  for (const { ph, name, pid, tid, tdur } of events) {
    if (ph !== 'X' || name !== TASK || tdur === undefined || !isOfPage.has(`${pid} ${tid}`)) continue
    longest = Math.max(longest, tdur / 1000)
    if (tdur > 50_000) long++
  }
  if (longest === 0) throw new Error('Chromium has recorded no task of the page')
  return { longest, long, result }
}
