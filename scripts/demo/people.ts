import type { Role } from '../../src/schemas/common.ts'
import { nameGroups, specialNames } from './names.ts'
import type { Random } from './random.ts'

/** The password of everybody in the demo. It is no secret: the demo listens on this machine only. */
export const PASSWORD = 'a living community'
/** How many people the living demo speaks for, at most. */
const SCRIPTED = 20

export interface Person {
  name: string
  /** The name by which others address them. */
  given: string
  /** Undefined: the server makes it from the name. */
  handle: string | undefined
  email: string
  role: Role
  /** The language that they write besides English. */
  language: string
  /** Hours that their clock is ahead of UTC. */
  zone: number
  /** Their share of the talk, compared with the others'. */
  talks: number
  /** Their favourite hour of the day, by their own clock. */
  hour: number
  /** Their share at the weekend, compared with other days. */
  weekend: number
  /** Whether the living demo speaks for them. */
  isScripted: boolean
}

/** The people that a visitor logs in as. */
const visitors = [
  { name: 'Mira Lindqvist', given: 'Mira', handle: 'mira', email: 'admin@demo.example', role: 'admin' },
  { name: 'Tomás Ferreira', given: 'Tomás', handle: 'tomas', email: 'moderator@demo.example', role: 'moderator' },
  { name: 'Robin Okafor', given: 'Robin', handle: 'robin', email: 'member@demo.example', role: 'user' }
] as const

/** The logins of visitors, in the order of `people`. */
export const logins = visitors.map(({ email, role }) => ({ email, role: role === 'user' ? 'member' : role }))

/**
 * Makes the people, those with the most to say first after the three visitors. The same seed and count give the same people.
 * @param count at least 10.
 */
export function makePeople (random: Random, count: number): Person[] {
  const names = createNames(random.fork('names'))
  const habits = random.fork('habits')
  return Array.from({ length: count }, (_, rank) => {
    const visitor = visitors[rank]
    // The first special names come early, so that they are among the people who talk most.
    const special = rank >= 5 && rank % 3 === 2 ? specialNames[(rank - 5) / 3] : undefined
    const found = visitor ? { ...visitor, language: 'english', zone: 0 } : special ?? names()
    return {
      name: found.name,
      given: found.given,
      handle: found.handle,
      email: visitor?.email ?? `person-${rank + 1}@demo.example`,
      role: visitor?.role ?? (rank === 6 ? 'moderator' : 'user'),
      language: found.language,
      zone: found.zone,
      talks: 1 / (rank + 3) ** 0.7,
      hour: habits.pick([8, 11, 13, 16, 20, 21]),
      weekend: habits.pick([0.2, 0.5, 1, 1.5]),
      isScripted: rank >= visitors.length && rank < visitors.length + SCRIPTED
    }
  })
}

/** Returns a function that gives people of all groups, each with a name that nobody has yet. */
function createNames (random: Random) {
  const taken = new Set<string>()
  return () => {
    for (;;) {
      const { language, zone, given: givenNames, family } = random.weighted(nameGroups, group => group.share)
      const given = random.pick(givenNames)
      const name = `${given} ${random.pick(family)}`
      if (taken.has(name)) continue
      taken.add(name)
      return { name, given, handle: undefined, language, zone }
    }
  }
}

/** Returns how likely a person is at their keyboard at a time, compared with other times and people, by their habits. */
export function presenceOf ({ talks, zone, hour, weekend }: Person, at: number): number {
  const local = new Date(at + zone * 3_600_000)
  const distance = Math.abs(local.getUTCHours() - hour)
  const away = Math.min(distance, 24 - distance)
  const isWeekend = local.getUTCDay() === 0 || local.getUTCDay() === 6
  return talks * (isWeekend ? weekend : 1) * Math.max(0.02, 1 - away / 7)
}
