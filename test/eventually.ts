import { eventually } from '../src/testing/eventually.ts'
export { DEADLINE, eventually } from '../src/testing/eventually.ts'

/** Resolves in a later millisecond. Times are stored to the millisecond, so lists may show what happens within one in any order. */
export async function nextMillisecond (): Promise<void> {
  const now = Date.now()
  await eventually(() => Date.now() > now)
}
