const RealDate = Date
const realNow = Date.now
let offset = 0

const ShiftedDate = new Proxy(RealDate, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [RealDate.now()] : args, newTarget)
})

/**
 * Moves the wall clock of this process, which is `Date`, by so many milliseconds, as it jumps when a machine was suspended. Several shifts
 * add up, and a negative one takes an earlier one back. The embedded database of this process reads the same clock. Timers and
 * `performance.now()` go on as before.
 */
export function shiftClock (ms: number): void {
  offset += ms
  RealDate.now = offset === 0 ? realNow : () => realNow() + offset
  globalThis.Date = offset === 0 ? RealDate : ShiftedDate
}
