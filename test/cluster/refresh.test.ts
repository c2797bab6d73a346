import type { Server } from '../helper.ts'
import { t } from '../tap.ts'
import { settings, type Pair } from './settings.ts'

interface Case {
  title: string
  /** Seconds since the first token was used. */
  age: number
  isSuccessorUsed: boolean
  isSuccessorExpired?: true
  /** What a replay of the first token gives: its successor, `authentication_failed`, or that and the end of the login. */
  gives: 'successor' | 'refusal' | 'end'
}

/** `authentication.refresh_window` is 60 s. */
const cases: Case[] = [
  { title: 'within the window, while the successor is unused', age: 50, isSuccessorUsed: false, gives: 'successor' },
  { title: 'within the window, after the successor was used', age: 50, isSuccessorUsed: true, gives: 'successor' },
  { title: 'after the window, while the successor is unused', age: 61, isSuccessorUsed: false, gives: 'successor' },
  { title: 'long after the window, while the successor is unused', age: 86_000, isSuccessorUsed: false, gives: 'successor' },
  { title: 'after the window, after the successor was used', age: 61, isSuccessorUsed: true, gives: 'end' },
  { title: 'when the unused successor has expired', age: 90_000, isSuccessorUsed: false, isSuccessorExpired: true, gives: 'refusal' }
]

/** Calls that start at once at two instances, with a token that was used before the window, and its unused successor. */
const races: Record<string, (pair: Pair, used: string, successor: string) => Array<Promise<string>>> = {
  'a replay and the first use of the successor': ([a, b], used, successor) => [refresh(a, used), refresh(b, successor)],
  'many replays and first uses of the successor': ([a, b], used, successor) =>
    [a, b, a, b, a, b].flatMap(each => [refresh(each, used), refresh(each, successor)]),
  'a replay and a logout': ([a, b], used, successor) => [refresh(a, used), logout(b, successor)]
}

/** Returns the refresh token of the answer, or the code of an error. */
async function refresh (server: Server, token: string): Promise<string> {
  const { body } = await server.call('POST', '/api/auth/refresh', { body: { refresh_token: token } })
  return body.refresh_token ?? body.code
}

async function logout (server: Server, token: string): Promise<string> {
  const { status } = await server.call('POST', '/api/auth/logout', { body: { refresh_token: token } })
  return String(status)
}

for (const [name, start] of Object.entries(settings)) {
  t.test(`[P61] a used refresh token on ${name}`, async t => {
    const pair = await start(t)
    const [a, b] = pair
    const { prisma } = a.database

    /** Makes a login whose first token was used `age` seconds ago. */
    async function prepare (age: number) {
      const { user, refresh_token: first } = await a.register()
      const { body } = await a.call('POST', '/api/auth/refresh', { body: { refresh_token: first } })
      await prisma.$executeRaw`UPDATE "RefreshToken" SET "usedAt" = now() - make_interval(secs => ${age})
        WHERE "userId" = ${user.id}::uuid AND "usedAt" IS NOT NULL`
      return { userId: user.id, first, successor: body.refresh_token as string, token: body.access_token as string }
    }

    for (const { title, age, isSuccessorUsed, isSuccessorExpired = false, gives } of cases) {
      t.test(`${title} gives ${gives}`, async t => {
        const { first, successor, token } = await prepare(age)
        const last = isSuccessorUsed ? await refresh(b, successor) : successor
        if (isSuccessorExpired) await prisma.$executeRaw`UPDATE "RefreshToken" SET "expiresAt" = now() - interval '1 second'`
        const expected = gives === 'successor' ? successor : 'authentication_failed'
        t.same([await refresh(a, first), await refresh(b, first)], [expected, expected])
        t.equal((await b.call('GET', '/api/me', { token })).status, gives === 'end' ? 401 : 200)
        if (gives === 'successor') t.match(await refresh(b, last), /^[\w-]{43}$/, 'the login goes on')
        if (gives === 'end') t.equal(await refresh(b, last), 'authentication_failed', 'its newest token is void')
      })
    }

    t.test('a used token is kept as long as its successor', async t => {
      const { user, refresh_token: first } = await a.register()
      await prisma.$executeRaw`UPDATE "RefreshToken" SET "expiresAt" = now() + interval '5 seconds' WHERE "userId" = ${user.id}::uuid`
      await refresh(a, first)
      const rows = await prisma.refreshToken.findMany({ where: { userId: user.id }, orderBy: { createdAt: 'asc' } })
      t.equal(rows.length, 2)
      t.ok(rows[0]!.expiresAt >= rows[1]!.expiresAt)
    })

    for (const [title, calls] of Object.entries(races)) {
      t.test(`a login has one chain of tokens after ${title}`, async t => {
        for (let round = 0; round < 3; round++) {
          const { userId, first, successor } = await prepare(61)
          const answers = await Promise.all(calls(pair, first, successor))
          t.ok(answers.every(answer => /^([\w-]{43}|204|authentication_failed)$/.test(answer)), answers.join(' '))
          const rows = await prisma.refreshToken.findMany({ where: { userId } })
          t.ok(rows.length <= 3, 'neither token has a second successor')
          t.ok(rows.filter(row => row.usedAt === null).length <= 1)
        }
      })
    }

    t.test('20 refreshes of one token at once give one successor', async t => {
      const { user, refresh_token: first } = await a.register()
      const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => refresh(pair[n % 2]!, first)))
      t.equal(new Set(answers).size, 1)
      t.match(answers[0], /^[\w-]{43}$/)
      t.equal(await prisma.refreshToken.count({ where: { userId: user.id } }), 2)
    })
  })
}
