import type { Random } from './random.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** When people talk in a channel: `office` is weekdays at daytime, `evening` and `morning` are for hobbies, `any` is all of it. */
export type Rhythm = 'office' | 'evening' | 'morning' | 'any'

/** The activity in each hour of the day, from 0 to 23 UTC, for each rhythm. */
const hours: Record<Rhythm, number[]> = {
  office: [0, 0, 0, 0, 0, 1, 2, 5, 8, 10, 10, 9, 6, 8, 10, 9, 8, 5, 3, 2, 2, 1, 1, 0],
  evening: [1, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 2, 2, 2, 3, 5, 8, 10, 10, 9, 6, 3],
  morning: [0, 0, 0, 0, 1, 5, 9, 10, 8, 5, 3, 2, 3, 2, 1, 1, 2, 4, 5, 4, 3, 2, 1, 0],
  any: [2, 1, 1, 1, 1, 2, 4, 6, 7, 8, 8, 8, 9, 8, 7, 7, 8, 8, 9, 10, 9, 8, 6, 4]
}

/** The activity on each day of the week, from Sunday to Saturday, for each rhythm. */
const days: Record<Rhythm, number[]> = {
  office: [1, 9, 10, 10, 9, 7, 1],
  evening: [7, 6, 6, 7, 8, 9, 8],
  morning: [10, 5, 7, 5, 7, 5, 9],
  any: [5, 9, 10, 10, 9, 8, 4]
}

/** Picks a time between two times, so that the hours, the days and the growth of the community look as they do in life. */
export function pickTime (random: Random, rhythm: Rhythm, from: number, until: number): number {
  for (;;) {
    const at = random.between(from, until)
    const date = new Date(at)
    const growth = 0.5 + 0.5 * (at - from) / (until - from)
    if (random.chance(hours[rhythm][date.getUTCHours()]! / 10 * days[rhythm][date.getUTCDay()]! / 10 * growth)) return Math.floor(at)
  }
}
