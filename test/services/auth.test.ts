import { loadConfig } from '../../src/config.ts'
import { createCounters } from '../../src/counters.ts'
import { createPasswords } from '../../src/services/passwords.ts'
import { createAuth } from '../../src/services/auth.ts'
import { createLoginThrottle } from '../../src/services/login-throttle.ts'
import { createInvitationCodeStore } from '../../src/store/invitation-codes.ts'
import { createTokens } from '../../src/store/tokens.ts'
import { createUsers } from '../../src/store/users.ts'
import { buildRest } from '../routes/rest.ts'
import { t, type Test } from '../tap.ts'

/** Creates the auth service on its own, with the database and the access tokens of a running application. */
async function buildAuth (t: Test) {
  const rest = await buildRest(t)
  const users = createUsers(rest.database.prisma)
  const tokens = createTokens(rest.database)
  const auth = createAuth({
    users,
    tokens,
    passwords: createPasswords(),
    throttle: createLoginThrottle({
      counters: createCounters({ url: undefined, prefix: '', logger: rest.app.log }), limits: loadConfig({}).config.limits
    }),
    ...rest.app.accessTokens,
    invitationCodes: createInvitationCodeStore(rest.database.prisma),
    invitationRules: { maxChannels: 0, maxUsers: 0, defaultRoom: 'general' },
    config: loadConfig({}).config.authentication,
    mailVerification: () => {},
    onLoginRevoked: () => {}
  })
  return { ...rest, tokens, auth }
}

const { auth, tokens, register, database } = await buildAuth(t)

const nobody = { device: null, network: null }
const free = { address: 'a', admit: async () => {}, fail: async () => {}, succeed: async () => {} }

t.test('[P12] many logins are checked in one round trip, with results in the order of the logins', async t => {
  const [ann, bob, cid] = await Promise.all([register(), register(), register()])
  const login = ({ user, access_token: token }: typeof ann) => ({ userId: user.id, sid: auth.readAccess(token).sid })
  await database.prisma.user.update({ where: { id: bob.user.id }, data: { disabledAt: new Date() } })

  const asked = [login(cid), login(bob), { ...login(ann), sid: login(cid).sid }, login(ann), login(ann)]
  const found = await tokens.findLogins(asked)
  t.same(found.map(user => user?.id ?? null), [cid.user.id, null, null, ann.user.id, ann.user.id])
  t.match(found[0], { email: cid.user.email, name: cid.user.name, role: 'user', createdAt: Date })
  t.same(await tokens.findLogins([]), [])

  await tokens.revoke(login(cid).sid)
  t.same(await tokens.findLogins([login(cid)]), [null])
})

t.test('a verified identity has the time at which it expires', async t => {
  const login = await register()
  const { exp, sid } = auth.readAccess(login.access_token)
  t.match(await auth.verifyAccess(login.access_token), { user: { id: login.user.id }, sid, expiresAt: exp * 1000 })
  for (const token of ['', 'x', 'a.b.c', login.refresh_token]) await t.rejects(auth.verifyAccess(token), { code: 'authentication_failed' })
})

t.test('revoking a login during a refresh also ends the new tokens', async t => {
  for (let round = 0; round < 10; round++) {
    const login = await register()
    const { sid } = auth.readAccess(login.access_token)
    const [refreshed] = await Promise.allSettled([auth.refresh(login.refresh_token, nobody), tokens.revoke(sid)])
    await t.rejects(auth.verifyAccess(login.access_token), { code: 'authentication_failed' })
    if (refreshed.status === 'rejected') continue
    await t.rejects(auth.refresh(refreshed.value.refresh_token, nobody), { code: 'authentication_failed' })
    await t.rejects(auth.verifyAccess(refreshed.value.access_token), { code: 'authentication_failed' })
  }
})

t.test('purging deletes refresh tokens whose access tokens have all expired, and never revives a login', async t => {
  // It looks at all tokens of a database.
  const { auth, tokens, register, database } = await buildAuth(t)
  const { prisma } = database
  const login = await register()
  const { refresh_token: successor } = await auth.refresh(login.refresh_token, nobody)
  const expire = (seconds: number) =>
    prisma.$executeRaw`UPDATE "RefreshToken" SET "expiresAt" = now() - make_interval(secs => ${seconds}) WHERE "usedAt" IS NOT NULL`

  await expire(3590)
  t.equal(await tokens.purge(3600), 0)
  t.ok((await tokens.findLogins([{ userId: login.user.id, sid: auth.readAccess(login.access_token).sid }]))[0], 'still valid')

  await prisma.$executeRaw`UPDATE "RefreshToken" SET "revokedAt" = now() WHERE "usedAt" IS NOT NULL`
  await expire(3610)
  t.equal(await tokens.purge(3600), 0, 'the revoked token is kept because it marks its successor as revoked')
  await t.rejects(auth.refresh(successor, nobody), { code: 'authentication_failed' })

  await prisma.$executeRaw`UPDATE "RefreshToken" SET "revokedAt" = NULL`
  t.equal(await tokens.purge(3600, 1), 1)
  await auth.refresh(successor, nobody)
})

t.test('passwords are hashed two at a time, and the server is busy when the queue is full', async t => {
  const passwords = createPasswords({ concurrency: 2, maxWaiting: 3 })
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => passwords.hash('password', 'a')))
  t.same(results.map(result => result.status === 'fulfilled' ? 'hashed' : result.reason.code),
    ['hashed', 'hashed', 'hashed', 'hashed', 'hashed', 'busy', 'busy', 'busy'])
  const hash = await passwords.hash('password', 'a')
  t.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  t.same(await Promise.all([passwords.verify(hash, 'password', free), passwords.verify(hash, 'Password', free)]), [true, false])
})

t.test('a login without an account does the same work as any other and counts as a failure', async t => {
  const passwords = createPasswords()
  const calls: string[] = []
  const attempt = { ...free, admit: async () => { calls.push('admit') }, fail: async () => { calls.push('fail') } }
  t.equal(await passwords.verify(null, 'password', attempt), false)
  t.same(calls, ['admit', 'fail'])
  const timed = async (stored: string | null) => {
    const start = process.cpuUsage()
    await passwords.verify(stored, 'wrong', free)
    const { user, system } = process.cpuUsage(start)
    return user + system
  }
  const known = await passwords.hash('password', 'a')
  const costs = { known: await timed(known), unknown: await timed(null) }
  t.ok(costs.unknown > costs.known / 5, `CPU ${JSON.stringify(costs)} µs`)
})

t.test('queued logins are judged at their turn, so that many at once get no more guesses than one after another', async t => {
  const { user } = await register()
  const guess = () => auth.login({ email: user.email!, password: 'wrong-password' }, { address: '10.0.0.1', ...nobody })
  const results = await Promise.allSettled(Array.from({ length: 60 }, guess))
  const codes = results.map(result => result.status === 'rejected' ? result.reason.code : 'let in')
  const guesses = codes.filter(code => code === 'authentication_failed').length
  t.ok(guesses >= 10 && guesses <= 11, `${guesses} guesses`)
  t.equal(codes.filter(code => code === 'rate_limited').length, 60 - guesses)
})
