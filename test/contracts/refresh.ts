import { errorTable, AppError, type ErrorCode } from '../../src/errors.ts'
import type { Login } from '../../src/schemas/auth.ts'
import type { Database } from '../../src/store/client.ts'
import type { Test } from '../tap.ts'

/** An instance that refreshes logins. Every function throws an AppError where the instance refuses. */
export interface Instance {
  refresh (token: string): Promise<Login>
  logout (token: string): Promise<void>
  /** Checks whether the access token is valid. */
  check (accessToken: string): Promise<unknown>
}

/** Two instances on one database, with a `refresh_window` of 60 s. `register` makes a new user and logs them in. */
export interface Setting { instances: [Instance, Instance], database: Database, register (): Promise<Login> }

interface Case {
  title: string
  /** Seconds since the first token was used. */
  age: number
  isSuccessorUsed: boolean
  isSuccessorExpired?: true
  /** What a replay of the first token gives: its successor, `authentication_failed`, or that and the end of the login. */
  gives: 'successor' | 'refusal' | 'end'
}

const cases: Case[] = [
  { title: 'within the window, while the successor is unused', age: 50, isSuccessorUsed: false, gives: 'successor' },
  { title: 'within the window, after the successor was used', age: 50, isSuccessorUsed: true, gives: 'successor' },
  { title: 'after the window, while the successor is unused', age: 61, isSuccessorUsed: false, gives: 'successor' },
  { title: 'long after the window, while the successor is unused', age: 86_000, isSuccessorUsed: false, gives: 'successor' },
  { title: 'after the window, after the successor was used', age: 61, isSuccessorUsed: true, gives: 'end' },
  { title: 'when the unused successor has expired', age: 90_000, isSuccessorUsed: false, isSuccessorExpired: true, gives: 'refusal' }
]

/** Each race starts both calls at once on two instances, after the first token was used outside the window. `used` is the first token. */
const races: Array<{ title: string, calls (setting: Setting, used: string, unused: string): Array<Promise<unknown>> }> = [
  {
    title: 'a replay and the first use of the successor',
    calls: ({ instances: [a, b] }, used, unused) => [a.refresh(used), b.refresh(unused)]
  },
  {
    title: 'many replays and first uses of the successor',
    calls: ({ instances: [a, b] }, used, unused) => [a, b, a, b, a, b].flatMap(each => [each.refresh(used), each.refresh(unused)])
  },
  {
    title: 'a replay and a logout',
    calls: ({ instances: [a, b] }, used, unused) => [a.refresh(used), b.logout(unused)]
  }
]

/** The rules of used refresh tokens, for each database. */
export function refreshSuite (t: Test, name: string, open: (t: Test) => Promise<Setting>): void {
  t.test(`[P61] a used refresh token on ${name}`, async t => {
    const setting = await open(t)
    const { instances: [a, b], database: { prisma }, register } = setting

    for (const { title, age, isSuccessorUsed, isSuccessorExpired = false, gives } of cases) {
      t.test(`${title} gives ${gives}`, async t => {
        const login = await register()
        const next = await a.refresh(login.refresh_token)
        const last = isSuccessorUsed ? await b.refresh(next.refresh_token) : next
        await prisma.$executeRaw`UPDATE "RefreshToken" SET "usedAt" = "usedAt" - make_interval(secs => ${age}) WHERE "usedAt" IS NOT NULL`
        if (isSuccessorExpired) await prisma.$executeRaw`UPDATE "RefreshToken" SET "expiresAt" = now() - interval '1 second'`
        const replies = await Promise.all([a, b].map(instance => outcomeOf(instance.refresh(login.refresh_token))))
        const expected = gives === 'successor' ? next.refresh_token : 'authentication_failed'
        t.same(replies, [expected, expected])
        t.equal(await outcomeOf(b.check(last.access_token)), gives === 'end' ? 'authentication_failed' : 'done')
        if (gives === 'successor') t.equal(typeof (await b.refresh(last.refresh_token)).refresh_token, 'string', 'the login goes on')
        if (gives === 'end') t.equal(await outcomeOf(b.refresh(last.refresh_token)), 'authentication_failed', 'its newest token is void')
      })
    }

    t.test('a used token is kept as long as its successor', async t => {
      const login = await register()
      await prisma.$executeRaw`UPDATE "RefreshToken" SET "expiresAt" = now() + interval '5 seconds' WHERE "userId" = ${login.user.id}::uuid`
      await a.refresh(login.refresh_token)
      const rows = await prisma.refreshToken.findMany({ where: { userId: login.user.id }, orderBy: { createdAt: 'asc' } })
      t.equal(rows.length, 2)
      t.ok(rows[0]!.expiresAt >= rows[1]!.expiresAt)
    })

    for (const { title, calls } of races) {
      t.test(`a login has at most one unused token after ${title}`, async t => {
        for (let round = 0; round < 5; round++) {
          const login = await register()
          const { refresh_token: successor } = await a.refresh(login.refresh_token)
          await prisma.$executeRaw`UPDATE "RefreshToken" SET "usedAt" = now() - interval '61 seconds' WHERE "userId" = ${login.user.id}::uuid
            AND "usedAt" IS NOT NULL`
          const replies = await Promise.all(calls(setting, login.refresh_token, successor).map(outcomeOf))
          t.ok(replies.every(reply => !Object.hasOwn(errorTable, reply) || reply === 'authentication_failed'), replies.join(' '))
          const rows = await prisma.refreshToken.findMany({ where: { userId: login.user.id } })
          t.ok(rows.filter(row => row.usedAt === null).length <= 1)
          t.ok(rows.length <= 3, 'neither token has a second successor')
        }
      })
    }

    t.test('50 refreshes of one token at two instances give one successor', async t => {
      const login = await register()
      const replies = await Promise.all(Array.from({ length: 50 }, (_, n) => outcomeOf([a, b][n % 2]!.refresh(login.refresh_token))))
      t.equal(new Set(replies).size, 1)
      t.equal(await prisma.refreshToken.count({ where: { userId: login.user.id } }), 2)
    })
  })
}

/** Returns the refresh token of a login, the code of an error, or `done`. */
async function outcomeOf (call: Promise<unknown>): Promise<string | ErrorCode> {
  try {
    return (await call as Login | undefined)?.refresh_token ?? 'done'
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}
